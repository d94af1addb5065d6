import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { callerOf } from '../base/caller.ts';
import type { CometChat } from '../cometchat/client.ts';
import { requireJson } from '../http/body.ts';
import { responses } from '../http/responses.ts';
import { ask, COMMON_PROBLEMS, WRITE_PROBLEMS } from './ask.ts';
import { ConversationsSchema, slimConversations } from './conversation.ts';
import { different, normalizeTags, TAG_RULES, Tag, tagFaults } from './tag.ts';
import { readTarget, TARGET_FIELDS } from './target.ts';

const SetTagsRequestSchema = Type.Object(
  {
    tags: Type.Array(Tag, { description: `The whole new set; \`[]\` clears it. ${TAG_RULES}` }),
    ...TARGET_FIELDS,
  },
  {
    additionalProperties: false,
    title: 'SetTagsRequest',
    examples: [
      { tags: ['archived', 'vip'], conversationWith: 'cometchat-uid-3' },
      { tags: [], conversationWith: 'project-group', conversationType: 'group' },
    ],
  },
);

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
        request.body = normalizeTags(request.body, 'tags');
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
          problems: [...WRITE_PROBLEMS, ...COMMON_PROBLEMS],
          isCounted: true,
        }),
      },
    },
    async (request, reply) => {
      const { body } = request;
      const target = readTarget('body', body, callerOf(request), tagFaults('/tags', body.tags));
      const tags = different(body.tags);
      const { value } = await ask(request, reply, cometchat.deadline, body, (requester) =>
        cometchat.lanes.write(target, { kind: 'replace', tags }, requester),
      );
      return { conversations: slimConversations(value) };
    },
  );
};
