import { describe, it } from 'vitest';
import { TABLES } from './all.ts';

describe.each(TABLES)('$name', ({ cases }) => {
  it.each(cases)('$name', ({ run }) => run());
});
