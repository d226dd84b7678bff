//! The whole console over a real socket. Every wait is for something to appear.

use std::time::Duration;

use tokio::net::TcpListener;
use tui::connection::Patience;
use tui::msg::Key;
use tui::shell::Ended;

use crate::console::settings;
use crate::gateway::{ACME, QUINN};
use crate::seat::{patience, sit_down, sit_down_with};
use crate::served::{Script, Served};

#[tokio::test]
async fn a_charge_elsewhere_moves_the_balance_and_then_the_ledger() {
    let served = Served::new();
    let mut seat = sit_down(served.listen().await, settings());
    seat.goes_to_acme().await;
    served.subscribed(1).await;
    served.gateway.lock().unwrap().charge(ACME, 1_234, "invoice.submit");
    served.play(Script::Wallet(ACME));
    // Only the stream says by how much it changed; only the ledger names the charge.
    seat.sees(&["11,216", "last change         -1,234", "invoice.submit"]).await;
    assert_eq!(*served.subscribed.borrow(), 1, "over the first connection");
    seat.press(&[Key::Char('q')]);
    assert_eq!(seat.running.await.unwrap().unwrap(), Ended::Quit);
}

#[tokio::test]
async fn a_connection_that_is_killed_is_noticed_and_recovered_with_what_changed_meanwhile() {
    let served = Served::new();
    let mut seat = sit_down(served.listen().await, settings());
    seat.goes_to_acme().await;
    served.subscribed(1).await;
    served.gateway.lock().unwrap().charge(ACME, 50, "invoice.submit");
    served.play(Script::Drop);
    served.subscribed(2).await;
    let frame = seat.sees(&["12,400", "* live"]).await;
    assert!(!frame.contains("STALE"), "{frame}");
    served.gateway.lock().unwrap().charge(ACME, 1, "invoice.submit");
    served.play(Script::Wallet(ACME));
    seat.sees(&["12,399", "last change"]).await;
    assert_eq!(*served.subscribed.borrow(), 2, "over the second connection");
}

#[tokio::test]
async fn a_gateway_that_goes_silent_is_noticed() {
    let served = Served::new();
    let impatient = Patience { pong: Duration::from_millis(300), ..patience() };
    let mut seat = sit_down_with(impatient, served.listen().await, settings());
    seat.sees(&["Quinn's Coffee CRM", "* live"]).await;
    served.subscribed(1).await;
    served.play(Script::Silence);
    served.subscribed(2).await;
}

#[tokio::test]
async fn a_suspension_made_elsewhere_reaches_the_screen() {
    let served = Served::new();
    let mut seat = sit_down(served.listen().await, settings());
    seat.goes_to_acme().await;
    served.subscribed(1).await;
    served.gateway.lock().unwrap().find_mut(ACME).suspended = Some("chargeback".to_owned());
    served.play(Script::Event("organization.suspended", ACME));
    seat.sees(&["! Acme Coffee", "! SUSPENDED", "chargeback"]).await;
}

#[tokio::test]
async fn a_close_code_is_shown_and_the_connection_tried_again() {
    let served = Served::new();
    let mut seat = sit_down(served.listen().await, settings());
    seat.sees(&["Quinn's Coffee CRM", "* live"]).await;
    served.subscribed(1).await;
    *served.refuse.lock().unwrap() = Some(1013);
    served.play(Script::Close(1001));
    seat.sees(&["STALE", "closed with 1013"]).await;
    *served.refuse.lock().unwrap() = None;
    served.subscribed(2).await;
    seat.sees_no("STALE").await;
}

#[tokio::test]
async fn a_refused_key_is_said_and_not_tried_again() {
    let served = Served::new();
    let mut seat = sit_down(served.listen().await, settings());
    seat.sees(&["Quinn's Coffee CRM", "* live"]).await;
    served.subscribed(1).await;
    served.play(Script::Close(4403));
    seat.sees(&["REFUSED 4403", "as the test says"]).await;
    assert_eq!(*served.subscribed.borrow(), 1);
}

#[tokio::test]
async fn a_refused_key_is_tried_again_when_somebody_asks() {
    let served = Served::new();
    let mut seat = sit_down(served.listen().await, settings());
    seat.sees(&["Quinn's Coffee CRM", "* live"]).await;
    served.subscribed(1).await;
    served.play(Script::Close(4403));
    seat.sees(&["REFUSED 4403", "r asks again"]).await;
    seat.press(&[Key::Char('r')]);
    seat.sees(&["* live"]).await;
    served.subscribed(2).await;
}

#[tokio::test]
async fn a_lost_gateway_is_tried_at_once_when_somebody_asks() {
    let served = Served::new();
    let far_off = Duration::from_secs(3600);
    let patient = Patience { retry_first: far_off, retry_max: far_off, ..patience() };
    let mut seat = sit_down_with(patient, served.listen().await, settings());
    seat.sees(&["Quinn's Coffee CRM", "* live"]).await;
    served.subscribed(1).await;
    served.play(Script::Drop);
    seat.sees(&["STALE", "reconnecting"]).await;
    seat.press(&[Key::Char('r')]);
    served.subscribed(2).await;
}

#[tokio::test]
async fn an_answer_lost_on_the_way_is_looked_up_and_credits_move_once() {
    let served = Served::new();
    let mut seat = sit_down(served.listen().await, settings());
    seat.goes_to_acme().await;
    *served.lose_next_answer.lock().unwrap() = true;
    seat.press(&[Key::Char('t')]);
    seat.presses_until(&[Key::Ctrl('u'), Key::Char('5')], "Amount       5").await;
    seat.press(&[Key::Enter, Key::Enter]);
    seat.sees(&["Transfer 5", "Cancel"]).await;
    // A key that does nothing shows that keys are taken; of two at once, the second alone would have cancelled.
    seat.presses_until(&[Key::Char('y')], "nothing was done").await;
    seat.press(&[Key::Right, Key::Enter]);
    seat.sees(&["unknown outcome, checking"]).await;
    seat.sees(&["Transferred 5 credits", "happened once"]).await;
    let gateway = served.gateway.lock().unwrap();
    assert_eq!(gateway.find(QUINN).unwrap().balance, 482_000 - 5);
    assert_eq!(gateway.find(ACME).unwrap().balance, 12_450 + 5);
}

#[tokio::test]
async fn an_id_is_copied_through_the_terminal() {
    let served = Served::new();
    let mut seat = sit_down(served.listen().await, settings());
    seat.goes_to_acme().await;
    seat.press(&[Key::Char('c')]);
    seat.sees(&["clipboard (OSC 52)"]).await;
    assert_eq!(*seat.copied.lock().unwrap(), [ACME]);
}

#[tokio::test]
async fn a_gateway_that_is_not_there_yet_is_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut seat = sit_down(address, settings());
    let frame = seat.sees(&["gateway not reachable", "reconnecting"]).await;
    assert!(!seat.running.is_finished(), "{frame}");
}
