/** The body of a READ on its way from another domain to a gateway: a piece is taken when the last one is under way. */
import type { ServerResponse } from 'node:http';
import type { BodyStream } from '@fosp/connection';

/** Resolves with whether all of it went; where not, one of both ends broke off. */
export async function download(
  stream: BodyStream,
  response: ServerResponse,
  moved: (bytes: number) => void,
): Promise<boolean> {
  let isGone = response.destroyed;
  let proceed = (): void => undefined;
  const gone = () => {
    isGone = !response.writableFinished;
    stream.cancel();
    proceed();
  };
  response.once('close', gone);
  response.on('drain', () => proceed());
  try {
    for await (const piece of stream) {
      moved(piece.length);
      if (!isGone && !response.write(piece)) {
        await new Promise<void>((resolve) => {
          proceed = resolve;
          if (isGone) {
            resolve();
          }
        });
      }
    }
    if (!isGone) {
      response.end();
    }
    return !isGone;
  } catch {
    response.destroy();
    return false;
  } finally {
    response.off('close', gone);
  }
}
