import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { OneOf } from '../base/one-of.ts';
import type { CometChat } from '../cometchat/client.ts';
import { listConversations } from '../cometchat/operations.ts';
import { readQuery } from '../http/query.ts';
import { responses } from '../http/responses.ts';
import { invalid } from '../http/validation.ts';
import { ask, COMMON_PROBLEMS } from './ask.ts';
import { CONVERSATION_TYPES, ConversationPageSchema, slimConversations } from './conversation.ts';
import { different, normalizeTags, TAG_RULES, Tag, tagFaults } from './tag.ts';

const DEFAULT_PER_PAGE = 50;
const MAX_PER_PAGE = 100;
/** What 32 bits hold, for clients whose integers have no more. */
const MAX_PAGE = 2 ** 31 - 1;

const QuerySchema = Type.Object(
  {
    tags: Type.Optional(
      Type.Array(Tag, {
        description: `Only conversations with these tags; CometChat decides whether one of several is enough. ${TAG_RULES} A comma always separates, whether it is encoded or not.`,
      }),
    ),
    conversationType: Type.Optional(
      OneOf(CONVERSATION_TYPES, { description: 'Only conversations with users, or only those of groups' }),
    ),
    unread: Type.Optional(
      Type.Literal(true, { description: 'Only conversations with messages that the caller has not read' }),
    ),
    page: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: 1, description: 'Number of the page' }),
    ),
    perPage: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_PER_PAGE,
        default: DEFAULT_PER_PAGE,
        description: 'Conversations on a page',
      }),
    ),
  },
  { additionalProperties: false },
);

/** `GET /me/conversations`: lists the caller's conversations, with the tags that the caller has put on them. */
export const listMyConversations: FastifyPluginAsyncTypebox<{ cometchat: CometChat }> = async (
  app,
  { cometchat },
) => {
  app.get(
    '/me/conversations',
    {
      exposeHeadRoute: false,
      preValidation: async (request) => {
        request.query = normalizeTags(readQuery(request.url, QuerySchema), 'tags');
      },
      schema: {
        operationId: 'listConversations',
        summary: 'List my conversations',
        description:
          'A page of the caller’s conversations, with their tags. Ask for the next page while `hasMore` is true.',
        tags: ['conversations'],
        querystring: QuerySchema,
        response: responses({
          success: ConversationPageSchema,
          problems: ['query-invalid', ...COMMON_PROBLEMS],
          isCounted: true,
        }),
      },
    },
    async (request, reply) => {
      const { page = 1, perPage = DEFAULT_PER_PAGE, tags = [], ...filter } = request.query;
      const faults = tagFaults('/tags', tags);
      if (faults.length > 0) throw invalid('querystring', faults);
      const operation = listConversations({ ...filter, tags: different(tags), page, perPage });
      const { value } = await ask(request, reply, cometchat.deadline, undefined, (requester) =>
        cometchat.read(operation, requester),
      );
      const { conversations, hasMore } = value;
      return { conversations: slimConversations(conversations), pagination: { page, perPage, hasMore } };
    },
  );
};
