import { Button } from "./Button.jsx";

export default { component: Button };
export const Plain = { args: { label: "Press" } };
