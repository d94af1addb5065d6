/** What is seen of a reply that cannot be read: it is told at once, and its call is not made again. */
export const invalidReply = (errorType: string, line: Record<string, unknown> = {}) => ({
  answer: [502, 'cometchat-reply-invalid'] as const,
  calls: 1,
  line: {
    level: 'warn',
    problem: 'cometchat-reply-invalid',
    error: { type: errorType },
    retried: undefined,
    ...line,
  },
  moved: { 'problems cometchat-reply-invalid': 1, 'attempts cometchat-reply-invalid': 1 },
});
