import { Outlet, Scripts } from "react-router";

export function HydrateFallback() {
  return <p>A single page by React Router</p>;
}

export function Layout({ children }) {
  return (
    <html lang="en">
      <head>
        <title>React Router</title>
      </head>
      <body>
        {children}
        <Scripts />
      </body>
    </html>
  );
}

export default function App() {
  return <Outlet />;
}
