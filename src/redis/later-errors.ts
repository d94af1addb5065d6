import type { AbstractConnector, Redis } from 'ioredis';

/** What makes the connections of a client, which ioredis keeps to itself. */
interface Connects {
  readonly connector: AbstractConnector;
}

/**
 * Lets later errors of a connection pass. ioredis listens to the first one, and another would end the process: with TLS there are two
 * where a connection is closed while it is being made and its certificate is not trusted.
 *
 * @param redis is not connecting yet
 */
export function passLaterErrors(redis: Redis): void {
  const { connector } = redis as unknown as Connects;
  const { connect } = connector;
  connector.connect = async (...args) => (await connect.apply(connector, args)).on('error', () => {});
}
