/** `note`: it works, and should be known. */
export interface Finding {
  readonly name: string;
  readonly state: 'ok' | 'note' | 'wrong';
  /** What is there, or what is wrong and the fix. */
  readonly text: string;
}
export const ok = (name: string, text: string): Finding => ({ name, state: 'ok', text });
export const note = (name: string, text: string): Finding => ({ name, state: 'note', text });
export const wrong = (name: string, text: string): Finding => ({ name, state: 'wrong', text });
