/** Names of objects: the user's tree and the path in it (SPEC §4.2, PROTOCOL §2). */
import { fospError } from './errors.ts';

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

/** @throws FospError `malformed`, saying what and where */
export function parseResourceId(text: string): ResourceId {
  const slash = text.indexOf('/');
  const tree = parseUserId(slash < 0 ? text : text.slice(0, slash));
  const path = slash < 0 ? '' : text.slice(slash).replace(/\/$/, '');
  return { tree, domain: domainOf(tree), path };
}

/** `alice@x/` for the root, `alice@x/a` else: what older programs expect. */
export function formatResourceId(id: { readonly tree: string; readonly path: string }): string {
  return id.path === '' ? `${id.tree}/` : id.tree + id.path;
}

/**
 * @returns `user@domain`, normalised
 * @throws FospError `malformed`
 */
export function parseUserId(text: string): string {
  if (!/^[^@/]+@[^@/]+$/.test(text)) {
    throw fospError('malformed', `"${text}" is no user: it should look like alice@wonderland.lit.`);
  }
  return text;
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
  for (let at = path.lastIndexOf('/'); at >= 0; at = path.lastIndexOf('/', at - 1)) {
    paths.push(path.slice(0, at));
    if (at === 0) {
      break;
    }
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

const SLASH = 0x2f;
