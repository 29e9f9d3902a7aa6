/* EAN-13 while one types: the last digit follows from the others (GS1: weights 1 and 3 in turn, sum a multiple of ten). */

/** "": nothing to say yet; "right"; or what is wrong with it: "letters", "long", "digit". */
export function judgeEan(typed) {
  const digits = typed.replace(/[\s-]/g, "");
  if (!digits) return "";
  if (!/^\d*$/.test(digits)) return "letters";
  if (digits.length > 13) return "long";
  if (digits.length < 13) return "";
  const sum = [...digits].reduce((total, digit, place) => total + Number(digit) * (place % 2 ? 3 : 1), 0);
  return sum % 10 === 0 ? "right" : "digit";
}
