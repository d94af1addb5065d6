import SerializerSelector from '@fastify/fast-json-stringify-compiler';

const serializersFor = SerializerSelector();
const made = new Map<string, SerializerSelector.Serializer>();

/**
 * Makes serializers as Fastify does, but only one for each schema. Nearly all responses of a route have the schema of a problem,
 * and a serializer takes milliseconds to make.
 *
 * @param shared the schemas that others refer to, by `$id`
 */
export const buildSerializer: SerializerSelector.SerializerFactory = (shared, options) => {
  const compile = serializersFor(shared, options);
  const around = JSON.stringify([shared, options]);
  return (route) => {
    const key = around + JSON.stringify(route.schema);
    const serializer = made.get(key) ?? compile(route);
    made.set(key, serializer);
    return serializer;
  };
};
