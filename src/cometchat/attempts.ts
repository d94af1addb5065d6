import type { Services } from '../base/services.ts';
import type { Send } from './call.ts';
import { ATTEMPT_PROBLEMS } from './errors.ts';
import type { Outcome } from './outcome.ts';

/** A step: counts the calls that were sent, by what became of them. */
export function countAttempts(send: Send, { metrics }: Services): Send {
  const attempts = metrics.counter(
    'attempts_total',
    'Attempts of calls to CometChat, by result: ok, client_gone, or the code of the problem',
    { result: ['ok', 'client_gone', ...ATTEMPT_PROBLEMS] },
  );
  return async (call) => {
    const outcome = await send(call);
    attempts.inc({ result: resultOf(outcome) });
    return outcome;
  };
}

function resultOf(outcome: Outcome<unknown>): string {
  if (outcome.ok) return 'ok';
  return outcome.errorType === 'client_gone' ? 'client_gone' : outcome.problem;
}
