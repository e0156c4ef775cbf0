import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Bus, type Change, type FanOutPage, OBJECTS } from '@fosp/bus';

/**
 * What a change means for whom: all in the event where that is little, else page by page from `objects`, as of the event's
 * sequence. The same change gives the same pages in the same order, so that a repeat is told in the same order as before.
 */
export async function* pagesOf(bus: Bus, { tree, sequence, event }: Change): AsyncGenerator<FanOutPage> {
  if (event.subscriptions !== undefined) {
    yield { objects: event.objects, subscriptions: event.subscriptions };
    return;
  }
  let after: string | undefined;
  do {
    const request = after === undefined ? { tree, sequence } : { tree, sequence, after };
    const { fields, body } = await bus.call(OBJECTS.fanOut, request);
    const page: FanOutPage = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
    yield page.objects.length > 0 ? page : { ...page, objects: event.objects };
    after = fields.next;
    // An answer that was at hand at once must not keep other trees waiting.
    await nextTurn();
  } while (after !== undefined);
}
