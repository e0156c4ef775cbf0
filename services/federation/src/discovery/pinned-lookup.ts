import { isIP, type LookupFunction } from 'node:net';

/**
 * For `lookup` of a socket's options: whatever name it asks for, these addresses are the answer. What was looked up and
 * checked is what is dialled; a second lookup could say something else (DNS rebinding).
 */
export function pinnedLookup(addresses: readonly string[]): LookupFunction {
  const answers = addresses.map((address) => ({ address, family: isIP(address) }));
  return (hostname, options, callback) => {
    const wanted = familyOf(options.family);
    const fitting = answers.filter(({ family }) => wanted === 0 || family === wanted);
    const [first] = fitting;
    if (first === undefined) {
      const error = Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' });
      process.nextTick(callback, error, options.all === true ? [] : '');
    } else if (options.all === true) {
      process.nextTick(callback, null, fitting);
    } else {
      process.nextTick(callback, null, first.address, first.family);
    }
  };
}

/** 0 for any. */
function familyOf(family: string | number | undefined): number {
  return family === 'IPv4' ? 4 : family === 'IPv6' ? 6 : Number(family ?? 0);
}
