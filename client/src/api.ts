// Written by `npm run openapi` from openapi.yaml. Do not edit.

export interface User {
  uid: string;
  name?: string;
  avatar?: string;
}

export interface Group {
  guid: string;
  name?: string;
  icon?: string;
}

export interface LastMessage {
  id: string;
  /** uid of the sender */
  sender: string;
  category: string;
  type: string;
  /** When it was sent, UNIX seconds */
  sentAt: number;
}

export interface Conversation {
  /** Opaque */
  conversationId: string;
  conversationType: 'user' | 'group';
  /** Left out where CometChat sends them in an unknown form, and where a change is answered with several conversations without tags */
  tags?: string[];
  unreadMessageCount?: number;
  /** When it began, UNIX seconds */
  createdAt?: number;
  /** When it last changed, UNIX seconds */
  updatedAt?: number;
  conversationWith: User | Group;
  lastMessage?: LastMessage;
}

/** The conversation, or conversations, that CometChat has answered with. */
export interface Conversations {
  conversations: Conversation[];
}

export interface SetTagsRequest {
  /** The whole new set; `[]` clears it. At most 25 different tags of 1 to 100 UTF-16 code units (most emoji count 2), without lone surrogates and with at least one visible character. White space around a tag is trimmed, and the tag is put into Unicode’s form NFC, before it is counted. A repeated tag counts once. */
  tags: string[];
  /** 1 to 100 of a-z, 0-9, "-" and "_": the uid of the other user or the guid of the group */
  conversationWith?: string;
  /** `user` where it is left out. `group` needs `conversationWith`. */
  conversationType?: 'user' | 'group';
}

export interface ChangeTagsRequest {
  /** These are there afterwards. At most 25 different tags of 1 to 100 UTF-16 code units (most emoji count 2), without lone surrogates and with at least one visible character. White space around a tag is trimmed, and the tag is put into Unicode’s form NFC, before it is counted. A repeated tag counts once. One that is there already keeps its place, others go to the end. */
  add?: string[];
  /** These are not there afterwards. The rules are those of `add`. At least one of the two has a tag, and no tag is in both. */
  remove?: string[];
  /** 1 to 100 of a-z, 0-9, "-" and "_": the uid of the other user or the guid of the group */
  conversationWith?: string;
  /** `user` where it is left out. `group` needs `conversationWith`. */
  conversationType?: 'user' | 'group';
}

export interface Pagination {
  page: number;
  perPage: number;
  /** Whether there is a next page, as far as CometChat tells */
  hasMore: boolean;
}

/** A page of the caller’s conversations. CometChat decides their order. */
export interface ConversationPage {
  conversations: Conversation[];
  pagination: Pagination;
}

export interface FieldError {
  /** JSON pointer (RFC 6901) into the body */
  pointer: string;
  detail: string;
}

export interface ParameterError {
  /** Name in the query */
  parameter: string;
  detail: string;
}

export interface Problem {
  /** urn:cometchat-gateway:problem:<code> */
  type: string;
  title: string;
  status: number;
  /** What happened and what to do */
  detail?: string;
  /** What programs decide by */
  code:
    | 'body-malformed'
    | 'body-invalid'
    | 'query-invalid'
    | 'session-missing'
    | 'session-invalid'
    | 'session-expired'
    | 'session-revoked'
    | 'identity-unmapped'
    | 'csrf-rejected'
    | 'not-a-member'
    | 'route-not-found'
    | 'conversation-not-found'
    | 'user-not-found'
    | 'group-not-found'
    | 'method-not-allowed'
    | 'request-timeout'
    | 'superseded'
    | 'too-many-tags'
    | 'body-too-large'
    | 'media-type-unsupported'
    | 'cometchat-rejected'
    | 'rate-limited'
    | 'headers-too-large'
    | 'internal'
    | 'cometchat-failed'
    | 'cometchat-reply-invalid'
    | 'gateway-misconfigured'
    | 'cometchat-busy'
    | 'cometchat-unavailable'
    | 'gateway-overloaded'
    | 'session-store-unavailable'
    | 'gateway-draining'
    | 'cometchat-timeout';
  /** Also in the gateway’s log and in the header X-Request-Id */
  requestId: string;
  errors?: (FieldError | ParameterError)[];
}
