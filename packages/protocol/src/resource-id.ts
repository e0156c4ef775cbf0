/**
 * Names of objects: the user's tree and the path in it (SPEC §4.2, PROTOCOL §2). An id that is plain ASCII and normalised
 * already, as nearly all are, takes one look at each character and no more: this runs for every request.
 */
import { SLASH } from './ascii.ts';
import { endOfPlainDomain, normaliseDomain } from './domain.ts';
import { type FospError, fospError } from './errors.ts';
import { utf8Length } from './json.ts';
import { LIMITS } from './limits.ts';
import { isPlainPath, normalisePath } from './path.ts';
import { quote } from './quote.ts';
import { endOfPlainUserName, normaliseUserName } from './user-name.ts';

export interface ResourceId {
  /** `alice@wonderland.lit`, normalised. */
  readonly tree: string;
  /** The tree's domain: lower-case A-labels. */
  readonly domain: string;
  /** `''` for the root, else `/social/me`. */
  readonly path: string;
}

/** Where a tree keeps its groups (SPEC §5.5). */
export const GROUPS_PATH = '/config/groups';

const AT = 0x40;

/**
 * Reads `user@domain` or `user@domain/path` in any spelling. Limits hold for the text as sent and as normalised.
 *
 * @throws FospError `malformed`, saying what and where
 */
export function parseResourceId(text: string): ResourceId {
  if (text.length > LIMITS.resourceBytes) {
    throw tooLong(text);
  }
  const at = endOfPlainUserName(text);
  if (at > 0 && text.charCodeAt(at) === AT) {
    const slash = endOfPlainDomain(text, at + 1);
    if (slash > 0 && (slash === text.length || text.charCodeAt(slash) === SLASH)) {
      if (slash + 1 >= text.length) {
        return { tree: text.slice(0, slash), domain: text.slice(at + 1, slash), path: '' };
      }
      if (isPlainPath(text, slash)) {
        return { tree: text.slice(0, slash), domain: text.slice(at + 1, slash), path: text.slice(slash) };
      }
    }
  }
  return normaliseResourceId(text);
}

function normaliseResourceId(text: string): ResourceId {
  const slash = text.indexOf('/');
  const tree = parseUserId(slash < 0 ? text : text.slice(0, slash));
  const path = slash < 0 ? '' : normalisePath(text.slice(slash));
  if (utf8Length(tree) + utf8Length(path) > LIMITS.resourceBytes) {
    throw tooLong(text);
  }
  return { tree, domain: domainOf(tree), path };
}

/** `alice@x/` for the root, `alice@x/a` else: what older programs expect. */
export function formatResourceId(id: { readonly tree: string; readonly path: string }): string {
  return id.path === '' ? `${id.tree}/` : id.tree + id.path;
}

/**
 * Reads `user@domain` in any spelling.
 *
 * @returns the user, normalised
 * @throws FospError `malformed`, saying what and where
 */
export function parseUserId(text: string): string {
  const at = text.indexOf('@');
  if (at < 0) {
    throw fospError('malformed', `${quote(text)} is no user: there is no "@", as in alice@wonderland.lit.`);
  }
  const user = `${normaliseUserName(text.slice(0, at))}@${normaliseDomain(text.slice(at + 1))}`;
  if (utf8Length(user) > LIMITS.resourceBytes) {
    throw tooLong(text);
  }
  return user;
}

/** The domain of a normalised user. */
export function domainOf(user: string): string {
  return user.slice(user.indexOf('@') + 1);
}

/** `/a/b` has `/a`, `/a` has `''`, the root has none. */
export function parentPath(path: string): string | undefined {
  return path === '' ? undefined : path.slice(0, path.lastIndexOf('/'));
}

/** The path itself, its ancestors, and last the root: `/a/b`, `/a`, `''`. */
export function pathsToRoot(path: string): string[] {
  const paths = [path];
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    paths.push(path.slice(0, end));
  }
  if (path !== '') {
    paths.push('');
  }
  return paths;
}

/** The last part, `''` for the root. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function isSelfOrAncestor(ancestor: string, path: string): boolean {
  return path.startsWith(ancestor) && (path.length === ancestor.length || path.charCodeAt(ancestor.length) === SLASH);
}

function tooLong(text: string): FospError {
  return fospError('malformed', `Resource id ${quote(text)}: it is longer than ${LIMITS.resourceBytes} bytes.`);
}
