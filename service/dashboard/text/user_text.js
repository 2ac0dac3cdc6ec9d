// Texts of users as the page shows them: control characters as escapes, and no blank names.

// Control characters, separators of lines and overrides of the direction, but for line break and tab.
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]|\p{Cs}/gu;

// All but spaces, formats, marks, and the fillers that Unicode counts as letters.
const VISIBLE_CHARACTER = /[^\s\p{C}\p{M}\u115f\u1160\u2800\u3164\uffa0]/u;

/** The text with an escape such as \u001b for each character that would change what is around it. */
export const visible = (text) =>
  text.replaceAll("\r\n", "\n").replace(CONTROLS, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Whether a name has no visible character. */
export const isBlank = (name) => !VISIBLE_CHARACTER.test(name ?? "");

/** A name in one line; a blank one in quotes. */
export const shownName = (name) => (isBlank(name) ? `"${visible(name)}"` : visible(name)).replaceAll("\n", "\\n");

// Colours and the cursor; titles and links; character sets: the control sequences of ECMA-48.
const SEQUENCES =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b\]|\u009d)[^\u0007\u001b\u009c\n]*(?:\u0007|\u001b\\|\u009c)|\u001b[ -/]*[0-OQ-WYZ\\`-~]/g;
const CUT_SEQUENCE = /(?:\u001b[ -/]*|(?:\u001b\[|\u009b)[0-?]*[ -/]*|(?:\u001b\]|\u009d)[^\u0007\u001b\u009c\n]{0,500}\u001b?)$/;

// A longer line is taken as ended, since the open one is read again with each part.
const LONGEST_OPEN = 20_000;

/** Reads the parts of a log as a terminal shows them: a progress bar overwrites its line. */
export class LogText {
  // The last line as it came: it may go on, or be overwritten.
  #open = "";

  /** The lines that a part ends, as one text, and the line that it leaves open. */
  add(part) {
    const raw = (this.#open + part).replace(SEQUENCES, "");
    const last = raw.lastIndexOf("\n") + 1;
    const end = raw.length - last > LONGEST_OPEN ? raw.length : last;
    const lines = raw.slice(0, end).split("\n").map(overwritten);
    this.#open = lastOverwrite(raw.slice(end));
    return { whole: lines.map(visible).join("\n"), open: visible(overwritten(this.#open).replace(CUT_SEQUENCE, "")) };
  }
}

// What a line shows once each carriage return has begun it anew.
const overwritten = (line) => lastOverwrite(line).replace(/\r+$/, "");

const lastOverwrite = (line) => line.slice(line.replace(/\r+$/, "").lastIndexOf("\r") + 1);
