/** Limits of the protocol, in bytes where nothing else is said. The last ones are defaults that a server may configure (PROTOCOL §1, §2, §4). */
export const LIMITS = {
  /** Start line, header lines and the blank line, with their line ends. */
  headBytes: 8192,
  /** Header lines of one message. */
  headers: 64,
  /** One part of a path. */
  partBytes: 255,
  /** Parts of one path. */
  parts: 32,
  /** A whole resource id. */
  resourceBytes: 2048,
  /** Depth of nesting of a JSON body. */
  jsonDepth: 512,
  /** Entries of `subscriptions` beyond which a reader is shown only their own. */
  subscriptionsShown: 10_000,
  /** A message before AUTHENTICATE. */
  preAuthMessageBytes: 16_384,
  /** What a message may have beyond its attachment: head and framing. */
  messageOverhead: 16_384,
  /** An object's JSON text. */
  objectBytes: 262_144,
  /** The `acl` of an object, as part of the above. */
  aclBytes: 16_384,
  /** An attachment in one message. */
  attachmentBytes: 67_108_864,
  /** Requests of one connection that are not answered yet. */
  requestsInFlight: 64,
} as const;
