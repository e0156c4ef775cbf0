/**
 * The environment, read once. A process declares its variables as data (see `variables.ts`), gets them typed, and is told
 * every mistake at once, in words for whoever sets them. The same declarations make the table in the documentation.
 *
 * Invariant: the value of a secret is in no message, and nothing but this package reads `process.env`.
 */
import { readFileSync } from 'node:fs';
import { nearNames } from './near-names.ts';
import type { Variable } from './variables.ts';

/** What a process is given: `process.env` in production. A variable that is set to the empty string counts as absent. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables by the name a program knows them by; in groups, where a process is made of several services. */
export interface Declarations {
  readonly [name: string]: Variable<unknown> | Declarations;
}

export type Settings<Declared extends Declarations> = {
  readonly [Name in keyof Declared]: Declared[Name] extends Variable<infer Value>
    ? Value
    : Declared[Name] extends Declarations
      ? Settings<Declared[Name]>
      : never;
};

/** All that is wrong with the environment, one variable per line. */
export class EnvironmentError extends Error {
  readonly mistakes: readonly string[];
  constructor(mistakes: readonly string[]) {
    const many = `${mistakes.length} environment variables are not as they should be`;
    const summary = mistakes.length === 1 ? 'One environment variable is not as it should be' : many;
    super(`${summary}:\n${mistakes.map((mistake) => `  ${mistake}`).join('\n')}`);
    this.name = 'EnvironmentError';
    this.mistakes = mistakes;
  }
}

/** The environment of this process. */
export function processEnvironment(): Environment {
  return process.env;
}

/** Throws `EnvironmentError` with every mistake there is. */
export function readEnvironment<const Declared extends Declarations>(
  environment: Environment,
  declared: Declared,
): Settings<Declared> {
  const mistakes = new Set<string>();
  const settings = readGroup(environment, declared, mistakes);
  if (mistakes.size > 0) {
    throw new EnvironmentError([...mistakes]);
  }
  return settings as Settings<Declared>;
}

function readGroup(environment: Environment, declared: Declarations, mistakes: Set<string>): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(declared)) {
    if (isVariable(entry)) {
      settings[name] = readVariable(environment, entry, mistakes);
    } else {
      settings[name] = readGroup(environment, entry, mistakes);
    }
  }
  return settings;
}

function readVariable(environment: Environment, variable: Variable<unknown>, mistakes: Set<string>): unknown {
  const { name, meaning, allowed } = variable;
  const mistake = (what: string) => {
    mistakes.add(`${name}: ${what}${what.includes(allowed) ? '' : `; it takes ${allowed}`} (${meaning})`);
  };
  let text: string | undefined;
  try {
    text = textOf(environment, variable);
  } catch (error) {
    mistake(reasonOf(error));
    return undefined;
  }
  if (text === undefined && variable.required) {
    mistake('is not set');
    return undefined;
  }
  try {
    return variable.read(text);
  } catch (error) {
    // What a parser says may quote what it was given.
    mistake(variable.secret ? `is not ${allowed}` : reasonOf(error));
    return undefined;
  }
}

function textOf(environment: Environment, variable: Variable<unknown>): string | undefined {
  const text = environment[variable.name] || undefined;
  const file = variable.secret ? environment[fileName(variable)] || undefined : undefined;
  if (file === undefined) {
    return text;
  }
  if (text !== undefined) {
    throw new Error(`is set, and ${fileName(variable)} too`);
  }
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new Error(`the file named by ${fileName(variable)} cannot be read, ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function fileName(variable: Variable<unknown>): string {
  return `${variable.name}_FILE`;
}

/** One row of the documentation. */
export interface DescribedVariable {
  readonly name: string;
  /** As it would be set; absent where there is none. */
  readonly fallback: string | undefined;
  readonly allowed: string;
  readonly meaning: string;
  readonly required: boolean;
  /** May also be given by `<name>_FILE`. */
  readonly secret: boolean;
}

/** Each variable once, as declared. Throws where one name is declared in two ways. */
export function describeVariables(declared: Declarations): DescribedVariable[] {
  const described = new Map<string, DescribedVariable>();
  for (const { name, fallbackText, allowed, meaning, required, secret } of variablesIn(declared)) {
    const row = { name, fallback: fallbackText, allowed, meaning, required, secret };
    const before = described.get(name);
    if (before !== undefined && JSON.stringify(before) !== JSON.stringify(row)) {
      throw new Error(`${name} is declared in two ways: ${JSON.stringify(before)} and ${JSON.stringify(row)}`);
    }
    described.set(name, row);
  }
  return [...described.values()];
}

export interface UnknownVariablesOptions {
  /** Variables that begin so are ours. */
  readonly prefix: string;
  /** Names that belong to other processes which may share this environment. */
  readonly alsoKnown?: readonly string[];
}

/** A warning for each variable of ours that nobody declared: most are misspelt. */
export function unknownVariables(
  environment: Environment,
  declared: Declarations,
  { prefix, alsoKnown = [] }: UnknownVariablesOptions,
): string[] {
  const declaredNames = variablesIn(declared).flatMap((variable) =>
    variable.secret ? [variable.name, fileName(variable)] : [variable.name],
  );
  const known = new Set([...declaredNames, ...alsoKnown]);
  return Object.keys(environment)
    .filter((name) => name.startsWith(prefix) && !known.has(name))
    .map((name) => {
      const near = nearNames(name, [...known]);
      return `${name} is not known here${near.length === 0 ? '' : `; is it meant to be ${near.join(' or ')}?`}`;
    });
}

function variablesIn(declared: Declarations): Variable<unknown>[] {
  return Object.values(declared).flatMap((entry) => (isVariable(entry) ? [entry] : variablesIn(entry)));
}

function isVariable(entry: Variable<unknown> | Declarations): entry is Variable<unknown> {
  return typeof entry['read'] === 'function';
}
