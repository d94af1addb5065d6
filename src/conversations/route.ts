import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Static } from '@sinclair/typebox';
import type { CometChatClient, Outcome } from '../cometchat/client.ts';
import { requireJson } from '../json-body.ts';
import { ProblemError } from '../problem-error.ts';
import { problemResponses } from '../problem-responses.ts';
import { callerOf } from '../session/authenticate.ts';
import { readTagsBody, trimTags } from './request.ts';
import { ConversationsSchema, TagsBodySchema } from './schemas.ts';
import { slimConversations } from './slim.ts';

/** `PUT /me/conversations/tags`: replaces the tags that the caller has put on one conversation. */
export const conversations: FastifyPluginAsyncTypebox<{ cometchat: CometChatClient }> = async (
  app,
  { cometchat },
) => {
  app.put(
    '/me/conversations/tags',
    {
      onRequest: requireJson,
      preValidation: async (request) => {
        request.body = trimTags(request.body) as typeof request.body;
      },
      schema: {
        operationId: 'setConversationTags',
        summary: 'Replace the tags of one of my conversations',
        description:
          'The tags are the caller’s alone: the other side of the conversation neither sees nor changes them. Sending the same request again is safe.',
        tags: ['conversations'],
        body: TagsBodySchema,
        response: {
          200: ConversationsSchema,
          ...problemResponses([
            'body-malformed',
            'body-invalid',
            'session-missing',
            'session-invalid',
            'session-expired',
            'session-revoked',
            'identity-unmapped',
            'csrf-rejected',
            'not-a-member',
            'route-not-found',
            'conversation-not-found',
            'user-not-found',
            'group-not-found',
            'method-not-allowed',
            'request-timeout',
            'body-too-large',
            'media-type-unsupported',
            'cometchat-rejected',
            'rate-limited',
            'headers-too-large',
            'internal',
            'cometchat-failed',
            'cometchat-reply-invalid',
            'gateway-misconfigured',
            'cometchat-busy',
            'session-store-unavailable',
            'cometchat-timeout',
          ]),
        },
      },
    },
    async (request): Promise<Static<typeof ConversationsSchema>> => {
      const caller = callerOf(request);
      const { peer, tags } = readTagsBody(request.body, caller);
      const outcome = await cometchat.updateTags(caller.onBehalfOf, peer, tags);
      request.outcome = outcome;
      if (!outcome.ok) throw asProblem(outcome);
      return { conversations: slimConversations(outcome.conversations, tags) };
    },
  );
};

function asProblem({ problem, retryAfterSeconds }: Extract<Outcome, { ok: false }>): ProblemError {
  return new ProblemError(problem, {
    ...(retryAfterSeconds !== undefined && { headers: { 'retry-after': String(retryAfterSeconds) } }),
  });
}
