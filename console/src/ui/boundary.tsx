/* What stands where a page could not be drawn: the rest of the console goes on. */

import { Component, type ReactNode } from "react";

import { Button } from "./button";
import { Empty } from "./page";

interface Props {
  /** Where one is; the next page is tried anew. */
  at: string;
  children: ReactNode;
}

/** A part of the page that is not there any more, after the server was updated, comes here, too. */
export class Boundary extends Component<Props, { failed: Error | null }> {
  override state = { failed: null as Error | null };

  static getDerivedStateFromError(failed: Error) {
    return { failed };
  }

  override componentDidUpdate({ at }: Props) {
    if (at !== this.props.at && this.state.failed) this.setState({ failed: null });
  }

  override render() {
    const { failed } = this.state;
    if (!failed) return this.props.children;
    return (
      <Empty title="This could not be shown">
        <p>The server may have been updated since the page was loaded. Load it again; what you changed and did not save is kept.</p>
        <Button kind="primary" onClick={() => location.reload()}>Load again</Button>
        <p><code>{failed.message}</code></p>
      </Empty>
    );
  }
}
