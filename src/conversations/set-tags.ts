import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Caller, callerOf, cometChatId } from '../base/caller.ts';
import { type FieldError, MAX_ERRORS, ProblemError } from '../base/problem-error.ts';
import type { CometChat } from '../cometchat/client.ts';
import { MAX_TAGS } from '../cometchat/conversation.ts';
import type { Target } from '../cometchat/operations.ts';
import { requireJson } from '../http/body.ts';
import { responses } from '../http/responses.ts';
import { ask, COMMON_PROBLEMS } from './ask.ts';
import { ConversationsSchema, slimConversations } from './conversation.ts';
import { normalizeTags, type SetTagsRequest, SetTagsRequestSchema } from './set-tags-request.ts';

/** `PUT /me/conversations/tags`: replaces the tags that the caller has put on one conversation. */
export const setConversationTags: FastifyPluginAsyncTypebox<{ cometchat: CometChat }> = async (
  app,
  { cometchat },
) => {
  app.put(
    '/me/conversations/tags',
    {
      onRequest: requireJson,
      preValidation: async (request) => {
        request.body = normalizeTags(request.body) as typeof request.body;
      },
      schema: {
        operationId: 'setConversationTags',
        summary: 'Replace the tags of one of my conversations',
        description:
          'The tags are the caller’s alone: the other side of the conversation neither sees nor changes them. Sending the same request again is safe.',
        tags: ['conversations'],
        body: SetTagsRequestSchema,
        response: responses({
          success: ConversationsSchema,
          problems: [
            'body-malformed',
            'body-invalid',
            'superseded',
            'body-too-large',
            'media-type-unsupported',
            ...COMMON_PROBLEMS,
          ],
          isCounted: true,
        }),
      },
    },
    async (request, reply) => {
      const { target, tags } = readRequest(request.body, callerOf(request));
      const { value } = await ask(request, reply, cometchat.deadline, request.body, (requester) =>
        cometchat.lanes.write(target, { kind: 'replace', tags }, requester),
      );
      return { conversations: slimConversations(value) };
    },
  );
};

/**
 * Applies the rules that a JSON schema cannot say.
 *
 * @returns the conversation as CometChat addresses it, and the tags, each once and in the order of their first places
 * @throws ProblemError `body-invalid`
 */
function readRequest(body: SetTagsRequest, caller: Caller): { target: Target; tags: string[] } {
  const { conversationWith, conversationType: type = 'user' } = body;
  const tags = [...new Set(body.tags)];
  // The pattern of the schema does not know surrogates.
  const errors: FieldError[] = body.tags.flatMap((tag, index) =>
    tag.isWellFormed() ? [] : [{ pointer: `/tags/${index}`, detail: 'must be text without lone surrogates' }],
  );
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
  if (id === undefined || errors.length > 0) {
    throw new ProblemError('body-invalid', { errors: errors.slice(0, MAX_ERRORS) });
  }
  return { target: { type, id }, tags };
}
