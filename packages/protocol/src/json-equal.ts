import { decodedString, spaceEnd, stringEnd, valueEnd, walkArray, walkObject } from './json-scan.ts';

/**
 * Whether two JSON texts hold the same value. The order of members, white space and escapes do not matter; the digits of
 * numbers do: `1.0` is not `1`, since it would be shown differently.
 */
export function equalJson(a: string, b: string): boolean {
  return a === b || canonical(a, spaceEnd(a, 0)).form === canonical(b, spaceEnd(b, 0)).form;
}

interface Canonical {
  readonly form: string;
  readonly end: number;
}

/** One form for all texts of a value. Recursion is bounded by the depth that `checkJson` lets through. */
function canonical(text: string, at: number): Canonical {
  switch (text[at]) {
    case '{':
      return canonicalObject(text, at);
    case '[': {
      let form = '[';
      const end = walkArray(text, at, (valueAt) => {
        const item = canonical(text, valueAt);
        form += `${item.form},`;
        return item.end;
      });
      return { form, end };
    }
    case '"': {
      const end = stringEnd(text, at);
      return { form: canonicalString(text.slice(at, end)), end };
    }
    default: {
      const end = valueEnd(text, at);
      return { form: text.slice(at, end), end };
    }
  }
}

function canonicalObject(text: string, at: number): Canonical {
  const forms = new Map<string, string>();
  const end = walkObject(text, at, (rawKey, valueAt) => {
    const value = canonical(text, valueAt);
    forms.set(canonicalString(rawKey), value.form);
    return value.end;
  });
  let form = '{';
  for (const key of [...forms.keys()].sort()) {
    form += `${key}:${forms.get(key)},`;
  }
  return { form, end };
}

function canonicalString(raw: string): string {
  return raw.includes('\\') ? JSON.stringify(decodedString(raw)) : raw;
}
