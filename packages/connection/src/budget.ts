/** Bytes of all messages in transit through this process. */
export declare class TransferBudget {
  constructor(limitBytes: number);
  readonly limit: number;
  /** Bytes reserved now. */
  get used(): number;
  /** Connections that wait for bytes to be freed. */
  get waiting(): number;
}
