import t from 'tap';
import { PROPERTIES } from './any-request.ts';

// any-request.slow.ts plays more of them.
for (const [title, holds] of Object.entries(PROPERTIES)) t.test(title, (t) => holds(t, 150));
