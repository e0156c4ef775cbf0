import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLog } from '@fosp/runtime';
import { Inbox, temporaryDirectory } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { notFederated, openPolicy, type PolicySettings } from '../../src/policy/policy.ts';
import { parsePolicy } from '../../src/policy/policy-file.ts';

/** A policy, its changes, and the lines of its log. */
async function policyOf(settings: Partial<PolicySettings>) {
  const errors = new Inbox<Record<string, unknown>>('an error in the log');
  const take = (line: string) => {
    const entry: Record<string, unknown> = JSON.parse(line);
    if (entry['level'] === 'error') {
      errors.add(entry);
    }
  };
  const log = await createLog({ name: 'test', level: 'info', to: { write: take } });
  const whole = { enabled: true, allow: [], block: [], file: undefined, ...settings };
  const policy = await openPolicy({ settings: whole, log, interval: 5 });
  const changes = new Inbox<true>('a change of the policy');
  policy.onChange(() => changes.add(true));
  return { policy, changes, errors, [Symbol.dispose]: () => policy.close() };
}

const text = (lists: object) => JSON.stringify(lists);

describe('with whom there is federation', () => {
  it.each<[string, Partial<PolicySettings>, string, boolean]>([
    ['all', {}, 'realworld.lit', true],
    ['nobody', { enabled: false }, 'realworld.lit', false],
    ['nobody, allowed or not', { enabled: false, allow: ['realworld.lit'] }, 'realworld.lit', false],
    ['those allowed', { allow: ['realworld.lit'] }, 'realworld.lit', true],
    ['no others', { allow: ['realworld.lit'] }, 'other.lit', false],
    ['all but those blocked', { block: ['*.evil.example'] }, 'a.evil.example', false],
    ['all others', { block: ['*.evil.example'] }, 'evil.example', true],
    ['none of those blocked, allowed or not', { allow: ['*.lit'], block: ['realworld.lit'] }, 'realworld.lit', false],
    ['the rest of those allowed', { allow: ['*.lit'], block: ['realworld.lit'] }, 'other.lit', true],
    ['none below one blocked', { allow: ['a.b.lit'], block: ['*.lit'] }, 'a.b.lit', false],
  ])('F66 %s', async (_, settings, domain, expected) => {
    using here = await policyOf(settings);
    expect(here.policy.permits(domain)).toBe(expected);
  });

  it('F66 is said with 403', () => {
    expect(notFederated('realworld.lit')).toMatchObject({
      status: 403,
      message: expect.stringContaining('realworld.lit'),
    });
  });
});

describe('a policy file', () => {
  it('F66 adds to the lists of the variables', async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'policy.json');
    await writeFile(file, text({ allow: ['b.lit'], block: ['c.lit'] }));
    using here = await policyOf({ allow: ['a.lit', 'c.lit'], file });
    const permitted = ['a.lit', 'b.lit', 'c.lit', 'd.lit'].filter((domain) => here.policy.permits(domain));
    expect(permitted).toEqual(['a.lit', 'b.lit']);
  });

  it('F66 counts as soon as it is written anew, or another takes its place', async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'policy.json');
    await writeFile(file, text({ block: ['a.lit'] }));
    using here = await policyOf({ file });
    expect(here.policy.permits('a.lit')).toBe(false);

    await writeFile(file, text({ block: ['b.lit'] }));
    await here.changes.next();
    expect([here.policy.permits('a.lit'), here.policy.permits('b.lit')]).toEqual([true, false]);

    await writeFile(`${file}.new`, text({ block: ['c.lit'] }));
    await rename(`${file}.new`, file);
    await here.changes.next();
    expect([here.policy.permits('b.lit'), here.policy.permits('c.lit')]).toEqual([true, false]);
  });

  it('F66 counts as it was written last, however fast', async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'policy.json');
    await writeFile(file, text({ block: ['0.lit'] }));
    using here = await policyOf({ file });
    for (let round = 0; round < 30; round++) {
      await writeFile(file, text({ block: ['1.lit'] }));
      await writeFile(file, text({ block: ['2.lit'] }));
      await expect.poll(() => here.policy.permits('2.lit'), { interval: 1 }).toBe(false);
      await writeFile(file, text({ block: ['3.lit'] }));
      await expect.poll(() => here.policy.permits('3.lit'), { interval: 1 }).toBe(false);
    }
  });

  it('F66 counts where Kubernetes replaces it, by a symbolic link to another folder', async () => {
    await using directory = await temporaryDirectory();
    const at = (...names: string[]) => join(directory.path, ...names);
    const version = async (name: string, lists: object) => {
      await mkdir(at(name));
      await writeFile(at(name, 'policy.json'), text(lists));
    };
    await version('..1', { block: ['a.lit'] });
    await symlink('..1', at('..data'));
    await symlink('..data/policy.json', at('policy.json'));
    using here = await policyOf({ file: at('policy.json') });
    expect(here.policy.permits('a.lit')).toBe(false);

    await version('..2', { block: ['b.lit'] });
    await symlink('..2', at('..data_tmp'));
    await rename(at('..data_tmp'), at('..data'));
    await rm(at('..1'), { recursive: true });
    await here.changes.next();
    expect([here.policy.permits('a.lit'), here.policy.permits('b.lit')]).toEqual([true, false]);
  });

  it.each<[string, (file: string) => Promise<void>]>([
    ['is cut off', (file) => writeFile(file, text({ block: ['a.lit', 'b.lit'] }).slice(0, -5))],
    ['is emptied', (file) => writeFile(file, '')],
    ['has what is no domain', (file) => writeFile(file, text({ block: ['no domain'] }))],
    ['has what is not known', (file) => writeFile(file, text({ blocked: ['b.lit'] }))],
    ['is gone', (file) => rm(file)],
  ])('F66 goes on counting where it %s, is told in the log, and counts again once it is right', async (_, spoil) => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'policy.json');
    await writeFile(file, text({ block: ['a.lit'] }));
    using here = await policyOf({ file });

    await spoil(file);
    expect(await here.errors.next()).toMatchObject({ path: file, error: expect.anything() });
    expect([here.policy.permits('a.lit'), here.policy.permits('b.lit')]).toEqual([false, true]);
    expect(here.changes.size).toBe(0);

    await writeFile(file, text({ block: ['b.lit'] }));
    await here.changes.next();
    expect([here.policy.permits('a.lit'), here.policy.permits('b.lit')]).toEqual([true, false]);
  });

  it('F66 keeps the process from starting where it is not right from the beginning', async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'policy.json');
    await expect(policyOf({ file })).rejects.toThrow(/FOSP_FEDERATION_POLICY_FILE: .*ENOENT/);
    await writeFile(file, '{');
    await expect(policyOf({ file })).rejects.toThrow(/FOSP_FEDERATION_POLICY_FILE: .*policy\.json cannot be used: /);
  });

  it.each([
    ['{}', { allow: [], block: [] }],
    ['{"allow":["a.lit"]}', { allow: ['a.lit'], block: [] }],
    ['[]', 'no JSON object'],
    ['null', 'no JSON object'],
    ['{"allow":"a.lit"}', '"allow" is no list'],
    ['{"block":[1]}', '"block" is no list'],
    ['{"Block":[]}', '"Block", which is neither'],
  ])('F66 %s is read as %j', (given, expected) => {
    if (typeof expected === 'string') {
      expect(() => parsePolicy(given)).toThrow(expected);
    } else {
      expect(parsePolicy(given)).toEqual(expected);
    }
  });
});
