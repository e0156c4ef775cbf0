import { expect, it } from 'vitest';
import { ROWS } from '../src/cases/rights-table.ts';
import { chooseCases } from '../src/conformance.ts';
import { CASES, FEDERATION_CASES } from '../src/index.ts';

const ALL = [...CASES, ...FEDERATION_CASES];

/** Not to be seen over the wire: other ways to accounts (F21), and whether a server looks for SRV records (F69). */
const UNSEEN = new Set([6, 21, 69]);

it('names every case once, in kebab-case, with section and capabilities', () => {
  expect(new Set(ALL.map(({ id }) => id)).size).toBe(ALL.length);
  for (const { id, covers, section, title } of ALL) {
    expect(id).toMatch(/^[a-z0-9_]+(-[a-z0-9_]+)*$/);
    expect(section).toMatch(/^([1-9]|10)$/);
    expect(covers.length).toBeGreaterThan(0);
    for (const capability of covers) expect(capability).toMatch(/^[A-Z]\d+$/);
    expect(title).not.toBe('');
  }
});

it('has cases for each section of the page, and for each capability of FOSP that a client can see', () => {
  const sections = new Set(CASES.map(({ section }) => section));
  expect([...sections].toSorted()).toEqual(['1', '10', '2', '3', '4', '5', '6', '7', '9']);
  const covered = new Set(ALL.flatMap(({ covers }) => covers));
  const missing = Array.from({ length: 70 }, (_, index) => index + 1).filter(
    (id) => !UNSEEN.has(id) && !covered.has(`F${id}`),
  );
  expect(missing).toEqual([]);
});

it('has a table of rights in which no two rows ask the same', () => {
  expect(ROWS.length).toBeGreaterThanOrEqual(150);
  const asked = ROWS.map(({ settings, deed }) => `${settings.join('; ')} ${deed}`);
  expect(asked.filter((question, index) => asked.indexOf(question) !== index)).toEqual([]);
  for (const { expected } of ROWS) expect(['shown', 'hidden', 200, 201, 204, 403]).toContain(expected);
});

it('chooses cases by id, section, capability and title', () => {
  expect(chooseCases([], { quick: false })).toEqual(CASES);
  expect(chooseCases([], { quick: false, federation: true })).toEqual(ALL);
  expect(CASES.filter(({ needs }) => needs !== undefined)).toEqual([]);
  expect(FEDERATION_CASES.filter(({ needs }) => needs === undefined)).toEqual([]);
  expect(chooseCases(['^etag$'], { quick: false }).map(({ id }) => id)).toEqual(['etag']);
  expect(new Set(chooseCases(['^§7$'], { quick: false }).map(({ section }) => section))).toEqual(new Set(['7']));
  expect(chooseCases(['^login-due$'], { quick: true })).toEqual([]);
});
