/** What to tell whoever starts a process about a bucket that is not to be had: what is wrong, and which variable mends it. */
import { StartError } from '@fosp/runtime';

export interface BucketPlace {
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly bucket: string;
  readonly forcePathStyle: boolean;
}

/** `status`: of the server's answer; undefined where none came. */
export function bucketError(error: unknown, status: number | undefined, place: BucketPlace): StartError {
  return new StartError(status === undefined ? unreachable(error, place) : refused(error, status, place), {
    cause: error,
  });
}

function unreachable(error: unknown, { endpoint = 'AWS', bucket, forcePathStyle }: BucketPlace): string {
  const reason = reasonOf(error);
  const path =
    !forcePathStyle && reason.includes(`${bucket}.`)
      ? '; where it takes buckets in the path of URLs, set FOSP_S3_FORCE_PATH_STYLE=on'
      : '';
  return `the S3 server ${endpoint} cannot be reached: ${reason}; FOSP_S3_ENDPOINT names it${path}`;
}

function refused(error: unknown, status: number, { endpoint = 'AWS', region, bucket }: BucketPlace): string {
  const name = error instanceof Error ? ` ${error.name}` : '';
  const answer = `the S3 server ${endpoint} answers ${status}${name} when asked for the bucket ${bucket}`;
  if (status === 401 || status === 403) {
    const who = 'FOSP_S3_ACCESS_KEY_ID and FOSP_S3_SECRET_ACCESS_KEY say who asks, FOSP_S3_BUCKET for which bucket';
    return `${answer}: ${who}`;
  }
  return status < 500 ? `${answer}: FOSP_S3_BUCKET and FOSP_S3_REGION (${region}) name it` : answer;
}

/** Where a host has several addresses, each has a reason of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) {
    return [...new Set(error.errors.map(reasonOf))].join(', ');
  }
  return error instanceof Error ? error.message : String(error);
}
