import t from 'tap';
import { PROPERTIES } from './requests.ts';

for (const [title, holds] of Object.entries(PROPERTIES)) t.test(title, (t) => holds(t, 5000));
