/** What rows have in common that can be asked for again. */
export interface AskedRow {
  /** Why there is no verdict; null if there is one. */
  failed: string | null;
  /** Whether asking again may give a verdict; only without one. */
  transient?: true;
  /** Hash of all that the row depends on. */
  key: string;
}
