import { describe, expect, it } from 'vitest';
import statuses from '../fixtures/statuses.json' with { type: 'json' };
import { codeOfStatus, ERRORS, failedBody, fospError, isErrorCode, isFospError } from '../src/index.ts';

describe('errors', () => {
  it('F34 the catalogue is the one of the fixtures', () => {
    const catalogue = Object.entries(ERRORS).map(([code, { status, retryable }]) => ({ code, status, retryable }));
    expect(catalogue).toEqual(statuses.errors);
  });

  it.each(statuses.errors)('F34 $code is $status, both ways', ({ code, status }) => {
    expect(codeOfStatus(status)).toBe(code);
    expect(isErrorCode(code) && fospError(code, 'x').status).toBe(status);
  });

  it('F34 what the catalogue does not have', () => {
    expect(codeOfStatus(418)).toBeUndefined();
    expect(isErrorCode('constructor')).toBe(false);
  });

  it('F34 an error is thrown, caught and shown as any other', () => {
    const error = fospError('not-found', 'There is no /a.', { cause: 'the log knows' });
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toBe('FospError: There is no /a.');
    expect(error).toMatchObject({ status: 404, code: 'not-found', headers: {}, body: {}, cause: 'the log knows' });
  });

  it('F34 an error is known by its code and status', () => {
    expect(isFospError(fospError('exists', 'x'))).toBe(true);
    expect(isFospError({ code: 'exists', status: 409, message: 'from another process' })).toBe(true);
    for (const other of [{ code: 'exists', status: 404 }, { code: 'ENOENT', status: 404 }, new Error('x'), null, 'x']) {
      expect(isFospError(other)).toBe(false);
    }
  });

  it('S13 the body of FAILED has the message and what else the error says, never its cause', () => {
    const error = fospError('version', 'Version "9" is not spoken here.', { body: { versions: ['0.1'] }, cause: 'x' });
    expect(failedBody(error)).toBe('{"message":"Version \\"9\\" is not spoken here.","versions":["0.1"]}');
    expect(failedBody(fospError('not-modified', 'x'))).toBe('');
  });
});
