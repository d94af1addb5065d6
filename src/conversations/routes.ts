import type { FastifyInstance } from 'fastify';
import type { CometChat } from '../cometchat/client.ts';
import { parseJsonOnly } from '../http/body.ts';
import { validatorCompiler } from '../http/validation.ts';
import { noteAdmission } from './ask.ts';
import { changeConversationTags } from './change-tags.ts';
import { getConversationTags } from './get-tags.ts';
import { listMyConversations } from './list-conversations.ts';
import { setConversationTags } from './set-tags.ts';

/** What do they want? The routes, one file each. */
export async function conversations(
  scope: FastifyInstance,
  options: { readonly cometchat: CometChat },
): Promise<void> {
  parseJsonOnly(scope);
  scope.setValidatorCompiler(validatorCompiler);
  scope.decorateRequest('admittedMs', 0);
  scope.addHook('onRequest', noteAdmission);
  await scope.register(getConversationTags, options);
  await scope.register(setConversationTags, options);
  await scope.register(changeConversationTags, options);
  await scope.register(listMyConversations, options);
}
