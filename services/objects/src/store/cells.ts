/** Reads typed values out of the rows that drivers give. */

export type Cells = readonly unknown[];

export function textAt(row: Cells, column: number): string {
  const value = row[column];
  if (typeof value !== 'string') {
    throw unexpected(value, column, 'a text');
  }
  return value;
}

export function optionalTextAt(row: Cells, column: number): string | undefined {
  return row[column] === null ? undefined : textAt(row, column);
}

export function numberAt(row: Cells, column: number): number {
  const value = row[column];
  if (typeof value !== 'number') {
    throw unexpected(value, column, 'a number');
  }
  return value;
}

export function optionalNumberAt(row: Cells, column: number): number | undefined {
  return row[column] === null ? undefined : numberAt(row, column);
}

export function bytesAt(row: Cells, column: number): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) {
    throw unexpected(value, column, 'bytes');
  }
  return value;
}

/** One of the words that a column may hold. */
export function wordAt<Word extends string>(row: Cells, column: number, words: readonly Word[]): Word {
  const text = textAt(row, column);
  const word = words.find((known) => known === text);
  if (word === undefined) {
    throw new TypeError(`Column ${column} holds ${text}, none of ${words.join(', ')}`);
  }
  return word;
}

function unexpected(value: unknown, column: number, wanted: string): TypeError {
  return new TypeError(`Column ${column} holds ${typeof value}, not ${wanted}`);
}
