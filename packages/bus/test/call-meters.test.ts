import { fospError } from '@fosp/protocol';
import { Metrics } from '@fosp/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCallMeters } from '../src/call-meters.ts';
import { Bus, FEDERATION, InProcessTransport, OBJECTS } from '../src/index.ts';

const ON_OBJECT = { user: 'alice@wonderland.lit', tree: 'alice@wonderland.lit', path: '' };
const REQUEST = { user: ON_OBJECT.user, type: 'SELECT', tree: 'king@realworld.lit', path: '', headers: '{}' };

let metrics: Metrics;
let bus: Bus;

beforeEach(() => {
  metrics = new Metrics();
  const quiet = { log: () => undefined, readRetryPause: 1 };
  bus = new Bus(new InProcessTransport(), { ...quiet, meters: createCallMeters(metrics) });
});

afterEach(() => bus.drain());

/** Lines of these metrics but for durations, which differ each time. */
async function counted(prefix: string): Promise<string[]> {
  const { body } = await metrics.text();
  return body.split('\n').filter((line) => line.startsWith(prefix) && !/_(bucket|sum)[{]/.test(line));
}

describe('what is counted of calls', () => {
  it('are answers and errors at both ends, and what is under way', async () => {
    const begun = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    await bus.serve(
      OBJECTS.select,
      async ({ fields: { path } }) => {
        if (path === '/gone') {
          throw fospError('not-found', 'gone');
        }
        begun.resolve();
        await held.promise;
        return { fields: {} };
      },
      { concurrency: 1 },
    );
    await expect(bus.call(OBJECTS.select, { ...ON_OBJECT, path: '/gone' })).rejects.toMatchObject({
      code: 'not-found',
    });
    const call = bus.call(OBJECTS.select, ON_OBJECT);
    await begun.promise;
    expect(await counted('fosp_bus_serving')).toEqual(['fosp_bus_serving{call="objects.select"} 1']);
    expect(await counted('fosp_bus_asking')).toEqual(['fosp_bus_asking{call="objects.select"} 1']);
    held.resolve();
    await call;
    expect(await counted('fosp_bus_ser')).toEqual([
      'fosp_bus_served_total{call="objects.select",outcome="ok"} 1',
      'fosp_bus_served_total{call="objects.select",outcome="not-found"} 1',
      'fosp_bus_served_seconds_count{call="objects.select"} 2',
      'fosp_bus_serving{call="objects.select"} 0',
    ]);
    expect(await counted('fosp_bus_ask')).toEqual([
      'fosp_bus_asked_total{call="objects.select",outcome="ok"} 1',
      'fosp_bus_asked_total{call="objects.select",outcome="not-found"} 1',
      'fosp_bus_asked_seconds_count{call="objects.select"} 2',
      'fosp_bus_asking{call="objects.select"} 0',
    ]);
  });

  it('is why there was no answer, once per attempt', async () => {
    await expect(bus.call(OBJECTS.select, ON_OBJECT)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await counted('fosp_bus_asked_total')).toEqual([
      'fosp_bus_asked_total{call="objects.select",outcome="ok"} 0',
      'fosp_bus_asked_total{call="objects.select",outcome="no-responders"} 2',
    ]);
  });

  it('is no failure where another is asked in its place, under the name of the call whatever the place', async () => {
    expect(await bus.askAt(FEDERATION.forward, 'realworld.lit', REQUEST)).toBeUndefined();
    const answer = async () => ({ fields: { status: '200', headers: '{}' } });
    await bus.serveAt(FEDERATION.forward, 'realworld.lit', answer, { concurrency: 1 });
    await bus.askAt(FEDERATION.forward, 'realworld.lit', REQUEST);
    expect(await counted('fosp_bus_asked_total')).toEqual([
      'fosp_bus_asked_total{call="federation.forward",outcome="ok"} 1',
      'fosp_bus_asked_total{call="federation.forward",outcome="elsewhere"} 1',
    ]);
    expect(await counted('fosp_bus_served_total')).toEqual([
      'fosp_bus_served_total{call="federation.forward",outcome="ok"} 1',
    ]);
  });
});
