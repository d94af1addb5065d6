import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Static } from '@sinclair/typebox';
import type { FastifyReply } from 'fastify';
import { ProblemError } from '../base/problem-error.ts';
import type { Failure } from '../cometchat/call.ts';
import type { CometChatClient } from '../cometchat/client.ts';
import type { CallTrace } from '../cometchat/observed.ts';
import { requireJson } from '../http/json-body.ts';
import { problemResponses } from '../http/problem-responses.ts';
import { callerOf } from '../session/session.ts';
import { readTagsBody, trimTags } from './request.ts';
import { ConversationsSchema, TagsBodySchema } from './schemas.ts';
import { slimConversations } from './slim.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** How long it took to find out who is calling, which counts to the deadline; the body is the client's to hurry. */
    admittedMs: number;
    /** Follows the calls that it makes, where traces are asked for. */
    trace?: CallTrace;
  }
}

/** `PUT /me/conversations/tags`: replaces the tags that the caller has put on one conversation. */
export const conversations: FastifyPluginAsyncTypebox<{ cometchat: CometChatClient }> = async (
  app,
  { cometchat },
) => {
  app.decorateRequest('admittedMs', 0);
  app.put(
    '/me/conversations/tags',
    {
      onRequest: async (request, reply) => {
        request.admittedMs = reply.elapsedTime;
        await requireJson(request);
      },
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
            'superseded',
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
            'cometchat-unavailable',
            'gateway-overloaded',
            'session-store-unavailable',
            'cometchat-timeout',
          ]),
        },
      },
    },
    async (request, reply): Promise<Static<typeof ConversationsSchema>> => {
      const caller = callerOf(request);
      const { peer, tags } = readTagsBody(request.body, caller);
      const { admittedMs: waitedMs, trace } = request;
      const client = { gone: goneSignal(reply), waitedMs, trace };
      const result = await cometchat.updateTags(caller.onBehalfOf, peer, tags, client);
      request.cometchat = result;
      const { outcome } = result;
      if (!outcome.ok) throw asProblem(outcome);
      return { conversations: slimConversations(outcome.conversations, tags) };
    },
  );
};

/** Aborted when the client has left. (Fastify's request.signal already is when the body has been read.) */
function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  if (raw.destroyed) gone.abort();
  else raw.once('close', () => raw.writableFinished || gone.abort());
  return gone.signal;
}

function asProblem({ problem, retryAfterSeconds }: Failure): ProblemError {
  return new ProblemError(problem, {
    ...(retryAfterSeconds !== undefined && { headers: { 'retry-after': String(retryAfterSeconds) } }),
  });
}
