import { describe, expect, it } from 'vitest';
import ids from '../fixtures/resource-ids.json' with { type: 'json' };
import {
  formatResourceId,
  isSelfOrAncestor,
  nameOf,
  normalisePath,
  normalisePathPart,
  parentPath,
  parseResourceId,
  parseUserId,
  pathsToRoot,
} from '../src/index.ts';
import { refusalOf } from './malformed.ts';

describe('resource ids', () => {
  it.each(ids.valid)('$name', ({ text, tree, domain, path }) => {
    const id = parseResourceId(text);
    expect(id).toEqual({ tree, domain, path });
    expect(parseResourceId(formatResourceId(id))).toEqual(id);
  });

  it.each(ids.invalid)('$name is refused', ({ text }) => {
    expect(refusalOf(() => parseResourceId(text))).toMatch(/^.{10,400}\.$/);
  });

  it.each(['alice@wonderland.lit/\ud800', 'al\udc00ce@wonderland.lit', 'alice@\ud800.lit'])(
    'F11 %j, with a lone surrogate, is refused',
    (text) => {
      expect(refusalOf(() => parseResourceId(text))).toBeDefined();
    },
  );

  it('F10 the root is sent with a slash, all else without', () => {
    expect(formatResourceId({ tree: 'alice@wonderland.lit', path: '' })).toBe('alice@wonderland.lit/');
    expect(formatResourceId({ tree: 'alice@wonderland.lit', path: '/a' })).toBe('alice@wonderland.lit/a');
  });

  it('F10 a refusal names what is wrong and where, on one line without what cannot be seen', () => {
    expect(refusalOf(() => parseResourceId('alice@wonderland.lit/a/b\u202Ec'))).toBe(
      'Path part "b\\u{202E}c": U+202E is not allowed, write it as %HH.',
    );
    expect(refusalOf(() => parseResourceId(`alice@wonderland.lit/${'x'.repeat(1000)}`))).toBe(
      `Path part "${'x'.repeat(64)}…": it is longer than 255 bytes.`,
    );
  });
});

describe('users', () => {
  it('F10 are resource ids without a path', () => {
    expect(parseUserId('Alice@WONDERLAND.lit.')).toBe('alice@wonderland.lit');
    expect(refusalOf(() => parseUserId('alice@wonderland.lit/'))).toMatch(/^Domain "wonderland\.lit\/"/);
    expect(refusalOf(() => parseUserId('alice'))).toMatch(/no "@"/);
    expect(refusalOf(() => parseUserId(`${'é'.repeat(1100)}@wonderland.lit`))).toMatch(/longer than 2048 bytes/);
  });
});

describe('paths', () => {
  it('F10 the root is empty or a slash, all others begin with one', () => {
    expect(normalisePath('')).toBe('');
    expect(normalisePath('/')).toBe('');
    expect(normalisePath('/a/e\u0301/')).toBe('/a/é');
    expect(refusalOf(() => normalisePath('a/b'))).toMatch(/begin with a slash/);
    expect(refusalOf(() => normalisePath(`/${'é/'.repeat(1100)}`))).toMatch(/longer than 2048 bytes/);
    expect(refusalOf(() => normalisePath(`/${'a'.repeat(255)}`.repeat(9)))).toMatch(/longer than 2048 bytes/);
  });

  it('F10 a part has no slash', () => {
    expect(normalisePathPart('a%2f')).toBe('a%2F');
    expect(refusalOf(() => normalisePathPart('a/b'))).toMatch(/U\+002F "\/" is not allowed/);
    expect(refusalOf(() => normalisePathPart(''))).toMatch(/empty/);
    expect(refusalOf(() => normalisePathPart('é'.repeat(3000)))).toMatch(/longer than 255 bytes/);
  });

  it.each([
    { path: '', parent: undefined, toRoot: [''], name: '' },
    { path: '/a', parent: '', toRoot: ['/a', ''], name: 'a' },
    { path: '/a/b/c', parent: '/a/b', toRoot: ['/a/b/c', '/a/b', '/a', ''], name: 'c' },
  ])('F35 "$path" has its ancestors', ({ path, parent, toRoot, name }) => {
    expect(parentPath(path)).toBe(parent);
    expect(pathsToRoot(path)).toEqual(toRoot);
    expect(nameOf(path)).toBe(name);
  });

  it.each([
    { ancestor: '', path: '', expected: true },
    { ancestor: '', path: '/a', expected: true },
    { ancestor: '/a', path: '/a', expected: true },
    { ancestor: '/a', path: '/a/b/c', expected: true },
    { ancestor: '/a', path: '/ab', expected: false },
    { ancestor: '/a/b', path: '/a', expected: false },
    { ancestor: '/b', path: '/a/b', expected: false },
  ])('F35 "$ancestor" is self or ancestor of "$path": $expected', ({ ancestor, path, expected }) => {
    expect(isSelfOrAncestor(ancestor, path)).toBe(expected);
  });
});
