import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { callerOf } from '../base/caller.ts';
import type { CometChat } from '../cometchat/client.ts';
import { getConversation } from '../cometchat/operations.ts';
import { readQuery } from '../http/query.ts';
import { responses } from '../http/responses.ts';
import { ask, COMMON_PROBLEMS } from './ask.ts';
import { ConversationsSchema, slimConversations } from './conversation.ts';
import { readTarget, TARGET_FIELDS } from './target.ts';

const QuerySchema = Type.Object(TARGET_FIELDS, { additionalProperties: false });

/** `GET /me/conversations/tags`: reads one conversation, with the tags that the caller has put on it. */
export const getConversationTags: FastifyPluginAsyncTypebox<{ cometchat: CometChat }> = async (
  app,
  { cometchat },
) => {
  app.get(
    '/me/conversations/tags',
    {
      exposeHeadRoute: false,
      preValidation: async (request) => {
        request.query = readQuery(request.url, QuerySchema);
      },
      schema: {
        operationId: 'getConversationTags',
        summary: 'Read the tags of one of my conversations',
        description: 'The conversation as the caller sees it. The tags are the caller’s alone.',
        tags: ['conversations'],
        querystring: QuerySchema,
        response: responses({
          success: ConversationsSchema,
          problems: ['query-invalid', ...COMMON_PROBLEMS],
          isCounted: true,
        }),
      },
    },
    async (request, reply) => {
      const { query } = request;
      const target = readTarget('querystring', query, callerOf(request));
      const { value } = await ask(request, reply, cometchat.deadline, query, (requester) =>
        cometchat.read(getConversation(target), requester),
      );
      return { conversations: slimConversations(value) };
    },
  );
};
