import fc from 'fast-check';
import { escapePathPart } from '../src/index.ts';

/** Characters at which the rules for names turn, beside any others. */
const character = fc.oneof(
  fc.constantFrom(
    ...'aAfz09.-_+%/\\é\u0301ßΣςＡｶﾞ한\u1112\u1161\u11abאש\u05b8ع٣۳〇ǅⅣ\u200d\u00ad\u3000\u0345\u0130\u1e9e',
  ),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
);

/** Names of any kind, few of them legal. */
export const anyText = fc.string({ unit: character, maxLength: 12 });

const plainName = fc.stringMatching(/^[a-z0-9]([a-z0-9_.+-]{0,8}[a-z0-9])?$/);
const userName = fc.oneof(
  plainName,
  fc.constantFrom('Alice', 'jürgen', 'JU\u0308RGEN', 'Σίσυφος', '한국', 'שלום', '二〇'),
);
const domain = fc.constantFrom(
  'wonderland.lit',
  'localhost',
  'Real-World.LIT.',
  'bücher.example',
  'xn--bcher-kva.example',
);
const part = fc.oneof(
  plainName,
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).map(escapePathPart),
  anyText.filter((text) => text !== '').map(escapePathPart),
);

/** Legal resource ids in any spelling. */
export const resourceIdText = fc
  .tuple(userName, domain, fc.array(part, { maxLength: 5 }), fc.constantFrom('', '/'))
  .map(([user, host, parts, end]) => `${user}@${host}${parts.map((name) => `/${name}`).join('')}${end}`);
