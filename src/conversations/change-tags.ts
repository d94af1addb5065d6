import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from '@sinclair/typebox';
import { callerOf } from '../base/caller.ts';
import type { CometChat } from '../cometchat/client.ts';
import { requireJson } from '../http/body.ts';
import { responses } from '../http/responses.ts';
import type { Fault } from '../http/validation.ts';
import { ask, COMMON_PROBLEMS, WRITE_PROBLEMS } from './ask.ts';
import { ConversationsSchema, slimConversations } from './conversation.ts';
import { different, normalizeTags, TAG_RULES, Tag, tagFaults } from './tag.ts';
import { readTarget, TARGET_FIELDS } from './target.ts';

const ChangeTagsRequestSchema = Type.Object(
  {
    add: Type.Optional(
      Type.Array(Tag, {
        description: `These are there afterwards. ${TAG_RULES} One that is there already keeps its place, others go to the end.`,
      }),
    ),
    remove: Type.Optional(
      Type.Array(Tag, {
        description:
          'These are not there afterwards. The rules are those of `add`. At least one of the two has a tag, and no tag is in both.',
      }),
    ),
    ...TARGET_FIELDS,
  },
  {
    additionalProperties: false,
    title: 'ChangeTagsRequest',
    examples: [
      { add: ['vip'], remove: ['inbox'], conversationWith: 'cometchat-uid-3' },
      { add: ['pinned'], conversationWith: 'project-group', conversationType: 'group' },
    ],
  },
);
type ChangeTagsRequest = Static<typeof ChangeTagsRequestSchema>;

/** `PATCH /me/conversations/tags`: adds single tags to those of one conversation, and removes some; all others stay. */
export const changeConversationTags: FastifyPluginAsyncTypebox<{ cometchat: CometChat }> = async (
  app,
  { cometchat },
) => {
  app.patch(
    '/me/conversations/tags',
    {
      onRequest: requireJson,
      preValidation: async (request) => {
        request.body = normalizeTags(request.body, 'add', 'remove') as typeof request.body;
      },
      schema: {
        operationId: 'changeConversationTags',
        summary: 'Add and remove single tags of one of my conversations',
        description:
          'No other tag is lost, whoever changes them at the same time through this API. Sending the same request again is safe.',
        tags: ['conversations'],
        body: ChangeTagsRequestSchema,
        response: responses({
          success: ConversationsSchema,
          problems: [...WRITE_PROBLEMS, 'too-many-tags', ...COMMON_PROBLEMS],
          isCounted: true,
        }),
      },
    },
    async (request, reply) => {
      const { body } = request;
      const { add = [], remove = [] } = body;
      const target = readTarget('body', body, callerOf(request), faultsOf(body));
      const change = { kind: 'merge', add: different(add), remove: different(remove) } as const;
      const { value } = await ask(request, reply, cometchat.deadline, body, (requester) =>
        cometchat.lanes.write(target, change, requester),
      );
      return { conversations: slimConversations(value) };
    },
  );
};

function faultsOf({ add = [], remove = [] }: ChangeTagsRequest): Fault[] {
  const faults = [...tagFaults('/add', add), ...tagFaults('/remove', remove)];
  if (add.length + remove.length === 0) {
    faults.push({ pointer: '/add', detail: 'must have a tag, or remove must have one' });
  }
  const both = remove.flatMap((tag, index) =>
    add.includes(tag) ? [{ pointer: `/remove/${index}`, detail: 'must not be in add as well' }] : [],
  );
  return [...faults, ...both];
}
