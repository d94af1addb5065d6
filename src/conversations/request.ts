import { type FieldError, ProblemError } from '../base/problem-error.ts';
import { cometChatId, MAX_TAGS } from '../cometchat/conversation.ts';
import type { Peer } from '../cometchat/exchange.ts';
import type { Caller } from '../identity/identity.ts';
import type { TagsBody } from './schemas.ts';

/**
 * Trims the tags of a body that is not yet checked, so that the schema's limits hold for what is stored.
 * Everything else stays as it is, for the schema to judge.
 */
export function trimTags(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('tags' in body) || !Array.isArray(body.tags))
    return body;
  return { ...body, tags: body.tags.map((tag) => (typeof tag === 'string' ? tag.trim() : tag)) };
}

/**
 * Turns a body into what CometChat is asked for: applies what a JSON schema cannot say.
 *
 * @returns the conversation as CometChat addresses it, and the tags, each once and in the order of their
 *   first places
 * @throws ProblemError `body-invalid`
 */
export function readTagsBody(body: TagsBody, caller: Caller): { peer: Peer; tags: string[] } {
  const { conversationWith, conversationType: type = 'user' } = body;
  const tags = [...new Set(body.tags)];
  const errors: FieldError[] = [];
  if (tags.length > MAX_TAGS) {
    errors.push({
      pointer: '/tags',
      detail: `must have at most ${MAX_TAGS} different tags, and has ${tags.length}`,
    });
  }
  if (type === 'group' && conversationWith === undefined) {
    errors.push({ pointer: '/conversationWith', detail: 'is required where conversationType is "group"' });
  }
  const id = conversationWith === undefined ? caller.uid : cometChatId(conversationWith);
  if (id === undefined || errors.length > 0) throw new ProblemError('body-invalid', { errors });
  return { peer: { type, id }, tags };
}
