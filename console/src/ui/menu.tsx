/* What else can be done with something, behind a button with three dots. */

import { Menu as Base } from "@base-ui/react/menu";

import { Button } from "./button";
import { Icon, type IconName } from "./icons";
import styles from "./overlay.module.css";

export interface MenuItem {
  label: string;
  icon?: IconName;
  danger?: boolean;
  onChoose: () => void;
}

export function MoreMenu({ label, items }: { label: string; items: readonly MenuItem[] }) {
  return (
    <Base.Root modal={false}>
      <Base.Trigger render={<Button kind="quiet" square aria-label={label} />}>
        <Icon name="more" />
      </Base.Trigger>
      <Base.Portal container={document.getElementById("content")} /* a landmark, as all on a page stands in one */>
        <Base.Positioner className={styles.above} sideOffset={4} align="end">
          <Base.Popup className={styles.menu}>
            {items.map((item) => (
              <Base.Item
                key={item.label}
                className={[styles.item, item.danger && styles.danger].filter(Boolean).join(" ")}
                onClick={item.onChoose}
              >
                {item.icon && <Icon name={item.icon} size={16} />}
                {item.label}
              </Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
