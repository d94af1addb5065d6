import { Kind, type TUnsafe, Type, TypeRegistry } from '@sinclair/typebox';

const KIND = 'OneOf';
TypeRegistry.Set<{ enum: readonly unknown[] }>(KIND, (schema, value) => schema.enum.includes(value));

/** One of some texts, as the `enum` that generators of clients understand; TypeBox's own unions are an `anyOf`. */
export const OneOf = <T extends string>(
  values: readonly T[],
  options: { readonly description?: string } = {},
): TUnsafe<T> => Type.Unsafe<T>({ ...options, [Kind]: KIND, type: 'string', enum: [...values] });
