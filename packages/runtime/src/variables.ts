/**
 * Kinds of environment variables. Each takes the name, the default (as text it reads like what is set; `undefined` for
 * none, `REQUIRED` where one must be set), and the meaning in the words of the documentation's table.
 */
import { type Networks, parseNetworks } from './networks.ts';
import { Secret } from './secret.ts';

/** In place of a default: the process does not start without this variable. */
export const REQUIRED: unique symbol = Symbol('required');

export interface Variable<Value> {
  readonly name: string;
  readonly meaning: string;
  /** What may be set, in words. */
  readonly allowed: string;
  /** As it would be set; absent where there is none. */
  readonly fallbackText: string | undefined;
  readonly required: boolean;
  /** Its value is never shown, and may come from the file named by `<name>_FILE`. */
  readonly secret: boolean;
  /** Throws an `Error` whose message says what is wrong. Given `undefined` where it is absent and has no default. */
  readonly read: (text: string | undefined) => Value;
}

/** A kind of one's own. */
export interface Kind<Value> {
  readonly allowed: string;
  /** Throws an `Error` whose message says what is wrong. */
  readonly parse: (text: string) => Value;
  readonly secret?: boolean;
}

type Fallback<Given> = Given | undefined | typeof REQUIRED;
/** Absent where there is no default. */
type OrAbsent<Value, Given> = undefined extends Given ? Value | undefined : Value;

export function variable<Value, Given extends Fallback<string | number>>(
  name: string,
  fallback: Given,
  meaning: string,
  kind: Kind<Value>,
): Variable<OrAbsent<Value, Given>>;
export function variable<Value>(
  name: string,
  fallback: Fallback<string | number>,
  meaning: string,
  { allowed, parse, secret = false }: Kind<Value>,
): Variable<Value | undefined> {
  const required = fallback === REQUIRED;
  const fallbackText = fallback === undefined || fallback === REQUIRED ? undefined : String(fallback);
  const read = (text = fallbackText) => (text === undefined ? undefined : parse(text));
  return { name, meaning, allowed, fallbackText, required, secret, read };
}

const TEXT: Kind<string> = { allowed: 'any text', parse: (given) => given };

export function text<Given extends Fallback<string>>(
  name: string,
  fallback: Given,
  meaning: string,
): Variable<OrAbsent<string, Given>> {
  return variable(name, fallback, meaning, TEXT);
}

/** Text that is never shown. */
export function secretText<Given extends Fallback<string>>(
  name: string,
  fallback: Given,
  meaning: string,
): Variable<OrAbsent<Secret<string>, Given>> {
  return variable(name, fallback, meaning, secretKind(TEXT));
}

export interface UrlOptions {
  /** Without colon, such as `https`. */
  readonly protocols: readonly string[];
}

/** An absolute URL, as it was given. */
export function url<Given extends Fallback<string>>(
  name: string,
  fallback: Given,
  meaning: string,
  options: UrlOptions,
): Variable<OrAbsent<string, Given>> {
  return variable(name, fallback, meaning, urlKind(options));
}

/** A URL that may hold a password, and so is never shown. */
export function secretUrl<Given extends Fallback<string>>(
  name: string,
  fallback: Given,
  meaning: string,
  options: UrlOptions,
): Variable<OrAbsent<Secret<string>, Given>> {
  return variable(name, fallback, meaning, secretKind(urlKind(options)));
}

/** A port to listen on; 0 stands for any free one. */
export function port<Given extends Fallback<number>>(
  name: string,
  fallback: Given,
  meaning: string,
): Variable<OrAbsent<number, Given>> {
  return variable(name, fallback, meaning, numberKind('a port', { min: 0, max: 65_535 }));
}

export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/** A whole number, not negative unless `min` says so. */
export function count<Given extends Fallback<number>>(
  name: string,
  fallback: Given,
  meaning: string,
  bounds: Bounds = {},
): Variable<OrAbsent<number, Given>> {
  return variable(name, fallback, meaning, numberKind('a whole number', bounds));
}

/** A duration in whole seconds. */
export function seconds<Given extends Fallback<number>>(
  name: string,
  fallback: Given,
  meaning: string,
  bounds: Bounds = {},
): Variable<OrAbsent<number, Given>> {
  return variable(name, fallback, meaning, numberKind('whole seconds', bounds));
}

/** A number of bytes: `65536`, `64 KiB`, `1.5GiB`, `1 MB`. */
export function bytes<Given extends Fallback<string | number>>(
  name: string,
  fallback: Given,
  meaning: string,
  bounds: Bounds = {},
): Variable<OrAbsent<number, Given>> {
  return variable(name, fallback, meaning, bytesKind(bounds));
}

/** `on` or `off`. */
export function onOff<Given extends Fallback<'on' | 'off'>>(
  name: string,
  fallback: Given,
  meaning: string,
): Variable<OrAbsent<boolean, Given>> {
  const kind = choiceKind(['on', 'off']);
  return variable(name, fallback, meaning, { ...kind, parse: (given) => kind.parse(given) === 'on' });
}

export function oneOf<const Choice extends string, Given extends Fallback<NoInfer<Choice>>>(
  name: string,
  fallback: Given,
  meaning: string,
  { choices }: { readonly choices: readonly Choice[] },
): Variable<OrAbsent<Choice, Given>> {
  return variable(name, fallback, meaning, choiceKind(choices));
}

/** Entries between commas; none for the default `''`. */
export function list<Given extends Fallback<string>>(
  name: string,
  fallback: Given,
  meaning: string,
): Variable<OrAbsent<readonly string[], Given>> {
  return variable(name, fallback, meaning, {
    allowed: 'entries, comma-separated',
    parse: splitList,
  });
}

/** Networks between commas, `10.0.0.0/8,::1`. */
export function networks<Given extends Fallback<string>>(
  name: string,
  fallback: Given,
  meaning: string,
): Variable<OrAbsent<Networks, Given>> {
  return variable(name, fallback, meaning, {
    allowed: 'networks such as 10.0.0.0/8, comma-separated',
    parse: (given) => parseNetworks(splitList(given)),
  });
}

/** What stands between commas, without the space around it and without empty entries. */
export function splitList(given: string): string[] {
  return given
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function secretKind<Value>({ allowed, parse }: Kind<Value>): Kind<Secret<Value>> {
  return { allowed, secret: true, parse: (given) => new Secret(parse(given)) };
}

function urlKind({ protocols }: UrlOptions): Kind<string> {
  const allowed = `a URL with ${protocols.map((protocol) => `${protocol}://`).join(' or ')}`;
  const parse = (given: string) => {
    // Not quoted: it may hold a password that was put here by mistake.
    const protocol = URL.canParse(given) ? new URL(given).protocol : undefined;
    if (protocol === undefined || !protocols.includes(protocol.slice(0, -1)) || !given.includes('://')) {
      throw new RangeError(`is not ${allowed}`);
    }
    return given;
  };
  return { allowed, parse };
}

function choiceKind<Choice extends string>(choices: readonly Choice[]): Kind<Choice> {
  const allowed = choices.join(', ');
  const parse = (given: string) => {
    const chosen = choices.find((choice) => choice === given.trim().toLowerCase());
    if (chosen === undefined) {
      throw new RangeError(`"${given}" is none of ${allowed}`);
    }
    return chosen;
  };
  return { allowed, parse };
}

function numberKind(what: string, { min = 0, max = Number.MAX_SAFE_INTEGER }: Bounds): Kind<number> {
  const allowed = `${what}${range(min, max)}`;
  const parse = (given: string) => {
    const number = /^-?\d+$/.test(given.trim()) ? Number(given) : Number.NaN;
    if (!(number >= min && number <= max)) {
      throw new RangeError(`"${given}" is not ${allowed}`);
    }
    return number;
  };
  return { allowed, parse };
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

function bytesKind({ min = 0, max = Number.MAX_SAFE_INTEGER }: Bounds): Kind<number> {
  const allowed = `bytes such as 65536, 64 KiB or 1.5 GiB${range(min, max)}`;
  const parse = (given: string) => {
    const [, digits = '', unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(given) ?? [];
    const size = digits === '' ? Number.NaN : Math.round(Number(digits) * (UNITS[unit.toLowerCase()] ?? Number.NaN));
    if (!(size >= min && size <= max)) {
      throw new RangeError(`"${given}" is not ${allowed}`);
    }
    return size;
  };
  return { allowed, parse };
}

function range(min: number, max: number): string {
  if (max < Number.MAX_SAFE_INTEGER) {
    return ` from ${min} to ${max}`;
  }
  return min > 0 ? `, at least ${min}` : '';
}
