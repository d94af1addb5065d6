import fengari from 'fengari';

const { lua, lauxlib, lualib, to_luastring: bytes } = fengari;

/** A value that Redis and its scripts give one another. */
export type Value = string | number | boolean | null | Value[];

/** Runs a command of a script's. */
type Call = (args: string[]) => Value;

/** Runs scripts as Redis does, with KEYS, ARGV and redis.call. */
class RedisLua {
  readonly #state = lauxlib.luaL_newstate();
  /** Those that were compiled, by their text. */
  readonly #scripts = new Map<string, number>();
  #call: Call = () => null;
  /** What a command threw: the script would make it unreadable. */
  #thrown: unknown;

  constructor() {
    lualib.luaL_openlibs(this.#state);
    lua.lua_createtable(this.#state, 0, 1);
    lua.lua_pushcfunction(this.#state, () => {
      const count = lua.lua_gettop(this.#state);
      try {
        this.#push(this.#call(Array.from({ length: count }, (_, n) => this.#argument(n + 1))));
      } catch (error) {
        this.#thrown = error;
        throw error;
      }
      return 1;
    });
    lua.lua_setfield(this.#state, -2, bytes('call'));
    lua.lua_setglobal(this.#state, bytes('redis'));
  }

  run(script: string, keys: string[], args: string[], call: Call): Value {
    this.#call = call;
    this.#thrown = undefined;
    const state = this.#state;
    for (const [name, values] of Object.entries({ KEYS: keys, ARGV: args })) {
      this.#push(values);
      lua.lua_setglobal(state, bytes(name));
    }
    lua.lua_rawgeti(state, lua.LUA_REGISTRYINDEX, this.#scripts.get(script) ?? this.#load(script));
    const isFailed = lua.lua_pcall(state, 0, 1, 0) !== lua.LUA_OK;
    const reply = this.#read(-1);
    lua.lua_settop(state, 0);
    if (isFailed) throw this.#thrown ?? new Error(String(reply));
    return reply;
  }

  #load(script: string): number {
    if (lauxlib.luaL_loadstring(this.#state, bytes(script)) !== lua.LUA_OK)
      throw new Error(String(this.#read(-1)));
    const reference = lauxlib.luaL_ref(this.#state, lua.LUA_REGISTRYINDEX);
    this.#scripts.set(script, reference);
    return reference;
  }

  /** Of a command. As in the Lua of Redis, whole numbers are written without a fraction. */
  #argument(at: number): string {
    if (lua.lua_type(this.#state, at) === lua.LUA_TNUMBER) return String(lua.lua_tonumber(this.#state, at));
    if (lua.lua_type(this.#state, at) === lua.LUA_TSTRING) return lua.lua_tojsstring(this.#state, at);
    throw new Error('Command arguments must be strings or integers');
  }

  #push(value: Value): void {
    const state = this.#state;
    if (typeof value === 'string') lua.lua_pushstring(state, bytes(value));
    else if (typeof value === 'number') lua.lua_pushnumber(state, value);
    else if (!Array.isArray(value)) lua.lua_pushboolean(state, value ?? false);
    else {
      lua.lua_createtable(state, value.length, 0);
      for (const [index, one] of value.entries()) {
        this.#push(one);
        lua.lua_rawseti(state, -2, index + 1);
      }
    }
  }

  /** What a script returns; Redis' own way of writing it: numbers are whole, and `false` is nothing. */
  #read(index: number): Value {
    const state = this.#state;
    const at = lua.lua_absindex(state, index);
    switch (lua.lua_type(state, at)) {
      case lua.LUA_TSTRING:
        return lua.lua_tojsstring(state, at);
      case lua.LUA_TNUMBER:
        return Math.trunc(lua.lua_tonumber(state, at));
      case lua.LUA_TTABLE:
        return Array.from({ length: lua.lua_rawlen(state, at) }, (_, n) => {
          lua.lua_rawgeti(state, at, n + 1);
          const value = this.#read(-1);
          lua.lua_pop(state, 1);
          return value;
        });
      default:
        return null;
    }
  }
}

/** One for all: a state costs more than the scripts. */
export const redisLua = new RedisLua();
