export interface CloseCode {
  readonly code: number;
  readonly name: string;
  readonly meaning: string;
  readonly reconnect: boolean;
}
export declare const CLOSE_CODES: readonly CloseCode[];
