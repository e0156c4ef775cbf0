/**
 * Domains (SPEC §4.2, PROTOCOL §2). `bücher.example` and `xn--bcher-kva.example` are one domain, and its one spelling
 * here is the second: lower-case A-labels. It is what DNS, certificates and the older programs can use, it is the same
 * under every version of Unicode, and it leaves names that are ASCII as everybody writes them.
 *
 * Single labels such as `localhost`, and underscores inside a label, are legal: the grammar has them.
 */
import { toASCII } from 'tr46';
import { DOT, HYPHEN, isLowerLetterOrDigit, UNDERSCORE } from './ascii.ts';
import { type FospError, fospError } from './errors.ts';
import { LIMITS } from './limits.ts';
import { quote } from './quote.ts';

/** Of DNS (RFC 1035 §2.3.4). */
const LABEL_BYTES = 63;
const DOMAIN_BYTES = 253;

/** More code points than a label may have, as no A-label is shorter than its U-label; between any kind of dots. */
const LONG_LABEL = /[^.\u3002\uFF0E\uFF61]{64}/u;

/**
 * The one spelling of a domain.
 *
 * @throws FospError `malformed`, naming the label at fault
 */
export function normaliseDomain(text: string): string {
  if (endOfPlainDomain(text, 0) === text.length) {
    return text;
  }
  if (text.length > LIMITS.resourceBytes) {
    throw tooLong(text);
  }
  // UTS 46 composes only after its mappings, which would make U+0345 depend on the order in which marks were typed.
  const typed = text.normalize('NFC');
  // What is too long for sure is refused before the work, which grows with the square of it.
  if (typed.length > 2 * DOMAIN_BYTES) {
    throw tooLong(text);
  }
  const longLabel = LONG_LABEL.exec(typed);
  if (longLabel !== null) {
    throw labelTooLong(text, longLabel[0]);
  }
  const mapped = toASCII(typed, { checkBidi: true, checkJoiners: true });
  if (mapped === null) {
    throw refusal(text, 'it is no valid internationalised domain name (UTS 46)');
  }
  const domain = mapped.endsWith('.') ? mapped.slice(0, -1) : mapped;
  for (const label of domain.split('.')) {
    checkLabel(text, label);
  }
  if (domain.length > DOMAIN_BYTES) {
    throw tooLong(text);
  }
  return domain;
}

/**
 * Where the plain domain that begins at `from` ends: one of ASCII characters, normalised already, and without `--`, which
 * A-labels have. -1 where there is none. It is the whole domain only if what follows cannot be part of one.
 */
export function endOfPlainDomain(text: string, from: number): number {
  let labelStart = from;
  let at = from;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isLowerLetterOrDigit(code)) {
      continue;
    }
    if (code === DOT) {
      if (!isPlainLabel(text, labelStart, at)) {
        return -1;
      }
      labelStart = at + 1;
    } else if (code === HYPHEN ? text.charCodeAt(at + 1) === HYPHEN : code !== UNDERSCORE) {
      break;
    }
  }
  return at - from <= DOMAIN_BYTES && isPlainLabel(text, labelStart, at) ? at : -1;
}

/** Of what is known to be letters, digits and signs. */
function isPlainLabel(text: string, start: number, end: number): boolean {
  return (
    end > start &&
    end - start <= LABEL_BYTES &&
    isLowerLetterOrDigit(text.charCodeAt(start)) &&
    isLowerLetterOrDigit(text.charCodeAt(end - 1))
  );
}

const LABEL = /^[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?$/;

function checkLabel(text: string, label: string): void {
  if (label === '') {
    throw refusal(text, text === '' ? 'it is empty' : 'it has an empty label');
  }
  if (label.length > LABEL_BYTES) {
    throw labelTooLong(text, label);
  }
  if (!LABEL.test(label)) {
    throw refusal(text, `the label ${quote(label)} must be of letters, digits, "-" and "_", the last two only inside`);
  }
}

function tooLong(text: string): FospError {
  return refusal(text, `it is longer than ${DOMAIN_BYTES} characters`);
}

function labelTooLong(text: string, label: string): FospError {
  return refusal(text, `the label ${quote(label)} is longer than ${LABEL_BYTES} characters`);
}

function refusal(text: string, why: string): FospError {
  return fospError('malformed', `Domain ${quote(text)}: ${why}.`);
}
