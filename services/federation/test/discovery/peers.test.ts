import { describe, expect, it } from 'vitest';
import { isHostName } from '../../src/discovery/host-name.ts';
import { isFixed, PEERS } from '../../src/discovery/peers.ts';

describe('fixed addresses of other domains', () => {
  it.each([
    ['realworld.lit=ws://127.0.0.1:2337', { host: '127.0.0.1', port: 2337, secure: false, path: '/' }],
    ['realworld.lit=wss://127.0.0.1', { host: '127.0.0.1', port: 1338, secure: true, path: '/' }],
    ['realworld.lit=ws://127.0.0.1', { host: '127.0.0.1', port: 1337, secure: false, path: '/' }],
    ['realworld.lit=wss://fosp.example:443/', { host: 'fosp.example', port: 443, secure: true, path: '/' }],
    ['realworld.lit=ws://fosp.example:80', { host: 'fosp.example', port: 80, secure: false, path: '/' }],
    ['realworld.lit=wss://[::1]:1338', { host: '::1', port: 1338, secure: true, path: '/' }],
    ['realworld.lit=wss://[2001:db8::1]', { host: '2001:db8::1', port: 1338, secure: true, path: '/' }],
    ['realworld.lit=ws://gate:1/a?b=c', { host: 'gate', port: 1, secure: false, path: '/a?b=c' }],
    [' RealWorld.lit. = WS://Gate:1 ', { host: 'gate', port: 1, secure: false, path: '/' }],
  ])('F62 %j', (given, expected) => {
    expect([...PEERS.parse(given)]).toEqual([['realworld.lit', [expected]]]);
  });

  it('F62 may be many, of one domain in the order given', () => {
    const peers = PEERS.parse('a.lit=ws://10.0.0.2:1, bücher.example=wss://[::1],a.lit=wss://10.0.0.1,');
    expect([...peers.keys()]).toEqual(['a.lit', 'xn--bcher-kva.example']);
    expect(peers.get('a.lit')).toEqual([
      { host: '10.0.0.2', port: 1, secure: false, path: '/' },
      { host: '10.0.0.1', port: 1338, secure: true, path: '/' },
    ]);
    expect(PEERS.parse('').size).toBe(0);
  });

  it.each([
    'realworld.lit',
    'realworld.lit=',
    '=ws://127.0.0.1:1',
    'realworld.lit=127.0.0.1:1',
    'realworld.lit=http://127.0.0.1:1',
    'realworld.lit=ws:127.0.0.1',
    'realworld.lit=ws://',
    'realworld.lit=ws://127.0.0.1:70000',
    'realworld.lit=ws://127.0.0.1:1#here',
    'realworld.lit=ws://user:hunter2@127.0.0.1',
    'real world.lit=ws://127.0.0.1',
    '127.0.0.1=ws://127.0.0.1',
  ])('F62 refuses %j, and shows no password', (given) => {
    expect(() => PEERS.parse(given)).toThrow(/^(?!.*hunter2)./);
  });

  it('says where nothing needs to be looked up', () => {
    const peers = PEERS.parse('a.lit=ws://10.0.0.2,a.lit=wss://[::1],b.lit=ws://10.0.0.2,b.lit=ws://gate');
    expect([peers.get('a.lit'), peers.get('b.lit'), peers.get('c.lit')].map(isFixed)).toEqual([true, false, false]);
  });
});

describe('what can be looked up', () => {
  it.each([
    ['realworld.lit', true],
    ['localhost', true],
    ['xn--bcher-kva.example', true],
    ['under_score.lit', true],
    ['1.lit', true],
    ['127.0.0.1', false],
    ['127.1', false],
    ['2130706433', false],
    ['0x7f.0.0.1', false],
    ['1.2.3.4.5', false],
    ['lit.1', false],
    ['::1', false],
    ['[::1]', false],
    ['a/b', false],
    ['a:1', false],
    ['user@a', false],
    ['', false],
  ])('F62 %j: %s', (name, expected) => {
    expect(isHostName(name)).toBe(expected);
  });
});
