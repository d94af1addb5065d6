export type {
  Conversation,
  ConversationPage,
  FieldError,
  Group,
  LastMessage,
  Pagination,
  ParameterError,
  Problem,
  User,
} from './api.ts';
export {
  type Client,
  type ConversationFilter,
  type ConversationType,
  createClient,
  type TagChange,
  type Target,
  targetOf,
} from './client.ts';
export { GatewayError, type GatewayErrorCode } from './errors.ts';
export type { CallOptions, ClientOptions } from './send.ts';
export type { TokenSource } from './token.ts';
