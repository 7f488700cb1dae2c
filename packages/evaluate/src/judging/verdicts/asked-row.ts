/** What rows have in common that can be asked for again. */
export interface AskedRow {
  /** Why there is no verdict; null if there is one. */
  failed: string | null;
  /** Whether asking again may help: the judge, or one of a panel, could not be reached. */
  transient?: true;
  /** Hash of all that the row depends on. */
  key: string;
}
