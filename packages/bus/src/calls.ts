/**
 * Every call between services, with the fields of its request and response, who may repeat it, and how long it may take.
 * Fields are strings: they travel as headers (NATS or in process) and are never encoded twice. Bodies are the FOSP body's
 * bytes, untouched. All calls are at most once; `retry: 'read'` marks those a caller may repeat, since they change nothing.
 * Errors of a call are the protocol's catalogue (`FospError`), plus `unavailable` where nobody serves the subject and
 * `timeout` where its deadline passed.
 */

export interface CallType<Request, Response> {
  readonly subject: string;
  readonly retry: 'read' | 'never';
  /** Milliseconds from the call to its deadline. */
  readonly timeout: number;
  /** So quick that even to name its request for lines of the log would be felt: they have it only where it is traced, or failed. */
  readonly quick: boolean;
  /** Never set: carries the types. */
  readonly types?: { readonly request: Request; readonly response: Response };
}

function call<Request, Response>(
  subject: string,
  retry: 'read' | 'never',
  { timeout = 10_000, quick = false }: { readonly timeout?: number; readonly quick?: boolean } = {},
): CallType<Request, Response> {
  return { subject: `fosp.${subject}`, retry, timeout, quick };
}

type Fields<Required extends string, Optional extends string = never> = Readonly<Record<Required, string>> &
  Readonly<Partial<Record<Optional, string>>>;

/** Who asks, for which object. `user` and `tree` as `name@domain`; `path` is `''` for the root, else `/a/b`. */
type OnObject = Fields<'user' | 'tree' | 'path', 'if-match' | 'if-none-match'>;
/** `etag` is quoted, as the header shows it. */
type WithEtag = Fields<never, 'etag'>;

/** What READ sends and WRITE stores. `size` in bytes; `file-name` percent-encoded, as the header of the request or response. */
type FileFields = Fields<'size', 'content-type' | 'file-name' | 'etag'>;

export const OBJECTS = {
  /** Response body: the view of the object, JSON. */
  select: call<OnObject, WithEtag>('objects.select', 'read', { quick: true }),
  /** Body: as the client sent it. */
  create: call<OnObject, WithEtag>('objects.create', 'never', { quick: true }),
  update: call<OnObject, WithEtag>('objects.update', 'never', { quick: true }),
  delete: call<OnObject, WithEtag>('objects.delete', 'never', { quick: true }),
  /** Response body: JSON array of names; `next` (a name) where `limit` cut it. */
  list: call<OnObject & Fields<never, 'limit' | 'after'>, WithEtag & Fields<never, 'next'>>('objects.list', 'read'),
  /** May this user read the file, and which key holds it. */
  openFile: call<OnObject, FileFields & Fields<'key'>>('objects.open-file', 'read'),
  /** May this user write the file; registers a fresh `key` as pending for this incarnation of the object. */
  beginFile: call<OnObject, Fields<'key' | 'incarnation'>>('objects.begin-file', 'never'),
  /** Makes a pending key the object's file, in one transaction with `attachment`. `checksum` is SHA-256, hex. */
  commitFile: call<
    OnObject & Fields<'key' | 'incarnation' | 'size' | 'checksum', 'content-type' | 'file-name'>,
    WithEtag
  >('objects.commit-file', 'never'),
  /** Up to `limit` keys whose bytes may go (dead or left pending); each is claimed, JSON array in the response body. */
  claimFiles: call<Fields<'limit'>, Fields<never>>('objects.claim-files', 'never'),
  /** The bytes of these keys (JSON array in the body) are gone. */
  forgetFiles: call<Fields<never>, Fields<never>>('objects.forget-files', 'never'),
  /**
   * Of these keys (JSON array in the body), those that this database gave out by `beginFile` and has no row of any more; JSON
   * array in the response body. What another database gave out is never among them.
   */
  lostFiles: call<Fields<never>, Fields<never>>('objects.lost-files', 'read'),
  /** A page of what one change means for whom: see `FanOutPage` in notifications; JSON in the response body. */
  fanOut: call<Fields<'tree' | 'sequence', 'after'>, Fields<never, 'next'>>('objects.fan-out', 'read'),
} as const;

export const ACCOUNTS = {
  /** Salt and cost for hashing a password of this name; alike for names that do not exist. 429 where failures ran out. */
  challenge: call<Fields<'user' | 'address'>, Fields<'salt' | 'memory' | 'passes' | 'parallelism'>>(
    'accounts.challenge',
    'read',
  ),
  /** `secret` is the argon2id result, base64url. 401 where it does not match. `token` logs in again. */
  login: call<Fields<'user' | 'address' | 'secret'>, Fields<'user' | 'token'>>('accounts.login', 'never'),
  /** 401 where the token is forged, expired, or older than the password. */
  resume: call<Fields<'token' | 'address'>, Fields<'user' | 'token'>>('accounts.resume', 'read'),
  /**
   * Counts a registration, and says whether it may go on, before a password is hashed for it: 429 where `address` registered
   * too often, 409 where the name is taken.
   */
  admit: call<Fields<'user' | 'address'>, Fields<never>>('accounts.admit', 'never'),
  /** Creates the account and its tree. 409 where the name is taken; it counts to nobody's rate. */
  register: call<Fields<'user' | 'salt' | 'memory' | 'passes' | 'parallelism' | 'secret'>, Fields<never>>(
    'accounts.register',
    'never',
  ),
  /** Replaces the password; with `old`, the secret of the old one, only where that matches (403). Tokens die. */
  password: call<
    Fields<'user' | 'salt' | 'memory' | 'passes' | 'parallelism' | 'secret', 'old' | 'address' | 'session'>,
    Fields<never>
  >('accounts.password', 'never'),
  /** `state` is `disabled` or `enabled`. 404 where there is no such account. */
  setState: call<Fields<'user' | 'state'>, Fields<never>>('accounts.set-state', 'never'),
  /** Removes the account with its tree and files. */
  remove: call<Fields<'user'>, Fields<never>>('accounts.remove', 'never', { timeout: 60_000 }),
} as const;

export const ATTACHMENTS = {
  /** Where to GET the file: an absolute URL, valid for a while, needing nothing but a plain GET. */
  read: call<OnObject, FileFields & Fields<'url'>>('attachments.read', 'read'),
  /**
   * Where to PUT a new file. With `size` it is PUT with that `content-length`; without, where a fragmented message did not
   * announce it, chunked, and `commit` tells the size. `ticket` names the transfer in `commit`. `digest` is `md5` where the
   * store can tell by an MD5 what it would have to read the bytes for otherwise: then `commit` is given that too. So it is
   * given what the answer to the PUT says in a header `fosp-receipt`, as `receipt`.
   */
  write: call<OnObject & Fields<never, 'size'>, Fields<'url' | 'ticket', 'digest'>>('attachments.write', 'never'),
  /** Makes the bytes that were PUT the object's file. `checksum` is their SHA-256, hex, as the sender computed it; `md5` alike. */
  commit: call<
    OnObject & Fields<'ticket' | 'size' | 'checksum', 'content-type' | 'file-name' | 'md5' | 'receipt'>,
    WithEtag
  >('attachments.commit', 'never', { timeout: 30_000 }),
} as const;

/** Of our own domains, towards others. */
export const DOMAINS = {
  /**
   * `key` = HMAC-SHA-256 by the secret of `from` over `from`, `to` and `nonce`, base64url: what proves a dialling server's domain
   * (PROTOCOL §9). 421 where `from` is none of ours, 400 where one of them cannot be signed.
   */
  sign: call<Fields<'from' | 'to' | 'nonce'>, Fields<'key'>>('domains.sign', 'read'),
} as const;

/** Some are served per domain, by whoever holds the links to it: `Bus.askAt` and `serveAt`, with the domain as the place. */
export const FEDERATION = {
  /**
   * At a domain: a request of our user for its resource; `headers` are those of the request, JSON. The response's alike, but for
   * `etag`, which nearly all of them have.
   */
  forward: call<Fields<'user' | 'type' | 'tree' | 'path' | 'headers'>, Fields<'status' | 'headers', 'etag'>>(
    'federation.forward',
    'never',
    { timeout: 30_000, quick: true },
  ),
  /**
   * At a domain: READ or WRITE of our user. One GET or PUT of `url` carries it out, within a short while; its answer has
   * `fosp-status`, `fosp-headers` (JSON), and the body. `size` in bytes, of what WRITE stores, where known.
   */
  transfer: call<Fields<'user' | 'type' | 'tree' | 'path' | 'headers', 'size'>, Fields<'url'>>(
    'federation.transfer',
    'never',
    { timeout: 30_000 },
  ),
  /** At a domain: is answered, and no more, where somebody serves it. */
  peer: call<Fields<never>, Fields<never>>('federation.peer', 'read'),
  /** Of all processes (`Bus.askAll`): what an operator is told of each domain that they talk to, a JSON list in the body. */
  peers: call<Fields<never>, Fields<never>>('federation.peers', 'read', { timeout: 1000 }),
  /** At a domain: connects now, whatever was to be waited for. */
  retry: call<Fields<never>, Fields<never>>('federation.retry', 'never'),
  /**
   * Sees to it that somebody serves the calls at this domain: whoever is asked, where nobody else does. Resolves where somebody
   * does or is about to, and is asked again then; rejects with what whoever wants something of the domain is to be told.
   */
  adopt: call<Fields<'domain'>, Fields<never>>('federation.adopt', 'never'),
  /**
   * May the server that connected from `address` speak for `domain` to `to`, one of ours? It may have given a `key` for the
   * `nonce` that it was sent, or TLS `certificate`s for domains (separated by commas). `address` is empty where it proves
   * nothing, since it is a load balancer's own. 403 where it may not.
   */
  admit: call<Fields<'domain' | 'to' | 'address', 'key' | 'nonce' | 'certificate'>, Fields<never>>(
    'federation.admit',
    'never',
    { timeout: 30_000 },
  ),
  /** Is `key` what `DOMAINS.sign` makes for `from`, `to` and `nonce`? 403 where it is not. */
  verify: call<Fields<'from' | 'to' | 'nonce' | 'key'>, Fields<never>>('federation.verify', 'read'),
  /** At a domain: rejects like `forward` where it cannot be reached, or is not to be: for what is refused otherwise. */
  reach: call<Fields<'user' | 'tree'>, Fields<never>>('federation.reach', 'read', { timeout: 30_000 }),
} as const;
