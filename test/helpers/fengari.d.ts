/** As much of fengari's API (Lua's C API in JavaScript) as scripted-redis.ts needs. */
declare module 'fengari' {
  type State = { readonly state: unique symbol };
  type Bytes = Uint8Array;
  const fengari: {
    to_luastring(text: string): Bytes;
    lauxlib: {
      luaL_newstate(): State;
      luaL_loadstring(state: State, source: Bytes): number;
      luaL_ref(state: State, table: number): number;
    };
    lualib: { luaL_openlibs(state: State): void };
    lua: {
      LUA_OK: 0;
      LUA_REGISTRYINDEX: number;
      LUA_TNUMBER: number;
      LUA_TSTRING: number;
      LUA_TTABLE: number;
      lua_absindex(state: State, index: number): number;
      lua_createtable(state: State, items: number, fields: number): void;
      lua_gettop(state: State): number;
      lua_pcall(state: State, args: number, results: number, handler: number): number;
      lua_pop(state: State, count: number): void;
      lua_pushboolean(state: State, value: boolean): void;
      lua_pushcfunction(state: State, call: () => number): void;
      lua_pushnumber(state: State, value: number): void;
      lua_pushstring(state: State, value: Bytes): void;
      lua_rawgeti(state: State, index: number, at: number): void;
      lua_rawlen(state: State, index: number): number;
      lua_rawseti(state: State, index: number, at: number): void;
      lua_setfield(state: State, index: number, name: Bytes): void;
      lua_setglobal(state: State, name: Bytes): void;
      lua_settop(state: State, index: number): void;
      lua_tojsstring(state: State, index: number): string;
      lua_tonumber(state: State, index: number): number;
      lua_type(state: State, index: number): number;
    };
  };
  export default fengari;
}
