import t from 'tap';
import { PROPERTIES } from './any-request.ts';

for (const [title, holds] of Object.entries(PROPERTIES)) t.test(title, (t) => holds(t, 5000));
