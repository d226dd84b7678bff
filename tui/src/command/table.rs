//! The rows, and the steps they can name.

use super::{Command, Context, Does, Group};
use crate::act::{self, Spec};
use crate::msg::Key;
use crate::resource::ResourceId;

/// What a command does inside of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Expand,
    Collapse,
    SwitchSide,
    Back,
    Forward,
    ShowTree,
    Search,
    Filter,
    Palette,
    Help,
    Refresh,
    Apply,
    Open,
    Mark,
    MarkAll,
    Columns,
    Follow,
    Freeze,
    Order,
    Reverse,
    CopyId,
    CopyGraphql,
    Undo,
    Stop,
    Quit,
    QuitAnywhere,
    Close,
    FinderUp,
    FinderDown,
    Choose,
    Complete,
    NextField,
    PreviousField,
    NextChoice,
    Submit,
    SwitchAnswer,
    Answer,
    Edit,
    CheckAgain,
    CopySecret,
}

const ORGANIZATIONS: Context = Context::List(ResourceId::Organizations);
const WALLET: Context = Context::List(ResourceId::Wallet);
const LEDGER: Context = Context::List(ResourceId::Ledger);
const HOLDS: Context = Context::List(ResourceId::Holds);
const KEYS: Context = Context::List(ResourceId::Keys);
const MEMBERS: Context = Context::List(ResourceId::Members);
const ENDPOINTS: Context = Context::List(ResourceId::Endpoints);
const DELIVERIES: Context = Context::List(ResourceId::Deliveries);
const EVENTS: Context = Context::List(ResourceId::Events);
const AUDIT: Context = Context::List(ResourceId::Audit);

const TREE: &[Context] = &[Context::Tree, Context::Detail];
const LISTS: &[Context] = &[ORGANIZATIONS, WALLET, LEDGER, HOLDS, KEYS, MEMBERS, ENDPOINTS, DELIVERIES, EVENTS, AUDIT];
const BROWSING: &[Context] = &[
    Context::Tree,
    Context::Detail,
    ORGANIZATIONS,
    WALLET,
    LEDGER,
    HOLDS,
    KEYS,
    MEMBERS,
    ENDPOINTS,
    DELIVERIES,
    EVENTS,
    AUDIT,
];
/// Where an organization is meant without a list of something else around it.
const ON_ORGANIZATIONS: &[Context] = &[Context::Tree, Context::Detail, ORGANIZATIONS];
const ON_MONEY: &[Context] = &[Context::Tree, Context::Detail, ORGANIZATIONS, WALLET, LEDGER];
const ON_KEYS: &[Context] = &[Context::Tree, Context::Detail, ORGANIZATIONS, KEYS];
pub(super) const EVERYWHERE: &[Context] = &[
    Context::Welcome,
    Context::Tree,
    Context::Detail,
    ORGANIZATIONS,
    WALLET,
    LEDGER,
    HOLDS,
    KEYS,
    MEMBERS,
    ENDPOINTS,
    DELIVERIES,
    EVENTS,
    AUDIT,
    Context::Record,
    Context::Columns,
    Context::Help,
    Context::Finder,
    Context::Editing,
    Context::Confirming,
    Context::Sending,
    Context::Unknown,
    Context::Refused,
    Context::Secret,
];
const SCROLLING: &[Context] = &[
    Context::Tree,
    Context::Detail,
    ORGANIZATIONS,
    WALLET,
    LEDGER,
    HOLDS,
    KEYS,
    MEMBERS,
    ENDPOINTS,
    DELIVERIES,
    EVENTS,
    AUDIT,
    Context::Help,
    Context::Record,
    Context::Columns,
];
const CLOSING: &[Context] = &[
    Context::Record,
    Context::Columns,
    Context::Help,
    Context::Finder,
    Context::Editing,
    Context::Confirming,
    Context::Unknown,
    Context::Refused,
    Context::Secret,
];

const fn step(
    name: &'static str,
    step: Step,
    keys: &'static [Key],
    contexts: &'static [Context],
    group: Group,
    purpose: &'static str,
) -> Command {
    Command { name, does: Does::Step(step), keys, contexts, label: "", purpose, group, in_footer: true }
}

const fn show(id: ResourceId, name: &'static str, keys: &'static [Key], purpose: &'static str) -> Command {
    let does = Does::Show(id);
    Command { name, does, keys, contexts: BROWSING, label: "", purpose, group: Group::Views, in_footer: false }
}

const fn act(
    spec: &'static Spec,
    keys: &'static [Key],
    contexts: &'static [Context],
    group: Group,
    purpose: &'static str,
) -> Command {
    Command { name: spec.name, does: Does::Act(spec), keys, contexts, label: "", purpose, group, in_footer: true }
}

impl Command {
    const fn unlisted(mut self) -> Self {
        self.in_footer = false;
        self
    }

    const fn only_in(mut self, contexts: &'static [Context]) -> Self {
        self.contexts = contexts;
        self.in_footer = true;
        self
    }

    const fn called(mut self, label: &'static str) -> Self {
        self.label = label;
        self
    }
}

#[rustfmt::skip]
pub const COMMANDS: &[Command] = {
    use Group as G;
    use Key::{BackTab, Backspace, Char, Ctrl, Down, End, Enter, Esc, Home, Left, PageDown, PageUp, Right, Tab, Up};
    use ResourceId as R;
    use Step as S;
    &[
        step("up", S::Up, &[Up, Char('k')], SCROLLING, G::Moving, "Move up").unlisted(),
        step("down", S::Down, &[Down, Char('j')], SCROLLING, G::Moving, "Move down").unlisted(),
        step("page up", S::PageUp, &[PageUp, Ctrl('b')], SCROLLING, G::Moving, "Move up by a page").unlisted(),
        step("page down", S::PageDown, &[PageDown, Ctrl('f')], SCROLLING, G::Moving, "Move down by a page").unlisted(),
        step("top", S::Top, &[Home, Char('g')], SCROLLING, G::Moving, "Go to the first line").unlisted(),
        step("bottom", S::Bottom, &[End, Char('G')], SCROLLING, G::Moving, "Go to the last line").unlisted(),
        step("open", S::Expand, &[Enter, Right, Char('l')], &[Context::Tree], G::Moving, "Open the branch; where there is none, the details"),
        step("close branch", S::Collapse, &[Left, Char('h')], &[Context::Tree], G::Moving, "Close the branch, or go to its parent").unlisted(),
        step("side", S::SwitchSide, &[Tab, BackTab], TREE, G::Moving, "Switch between tree and organization").unlisted().called("other side"),
        step("", S::SwitchSide, &[Esc, Left, Char('h')], &[Context::Detail], G::Moving, "Go back to the tree").called("tree"),
        step("show", S::Open, &[Enter, Right, Char('l')], LISTS, G::Lists, "Show the record whole; an organization, in the tree"),
        step("filter", S::Filter, &[Char('/')], LISTS, G::Lists, "Narrow the list: words, or key:value"),
        step("search", S::Search, &[Char('/')], TREE, G::Moving, "Search all organizations by name"),

        act(&act::SUSPEND, &[Char('s')], ON_ORGANIZATIONS, G::Organizations, "Cut off an organization and all below it"),
        act(&act::RESUME, &[Char('u')], ON_ORGANIZATIONS, G::Organizations, "Lift your suspension of an organization"),
        act(&act::TRANSFER, &[Char('t')], ON_MONEY, G::Organizations, "Transfer credits to an organization"),
        act(&act::GRANT, &[Char('+')], ON_MONEY, G::Organizations, "Issue credits to an organization (operator)").unlisted(),
        act(&act::LIMITS, &[Char('e')], ON_MONEY, G::Organizations, "Set caps and refill of an organization"),
        act(&act::MINT, &[Char('m')], ON_KEYS, G::Keys, "Mint an API key for an organization"),
        act(&act::ARCHIVE, &[Char('a')], ON_ORGANIZATIONS, G::Organizations, "Archive an organization, for good").unlisted(),
        act(&act::RELATION, &[], ON_ORGANIZATIONS, G::Organizations, "Make an organization OWNED by or LINKED to its parent").unlisted(),
        act(&act::MOVE, &[], ON_ORGANIZATIONS, G::Organizations, "Move an organization below another parent").unlisted(),
        act(&act::DETACH, &[], ON_ORGANIZATIONS, G::Organizations, "Make an organization a root of its own, out of sight").unlisted(),
        act(&act::ROTATE, &[Char('n')], &[KEYS], G::Keys, "Replace a key by a new one of its family"),
        act(&act::REVOKE, &[Char('x')], &[KEYS], G::Keys, "Revoke a key or its family, for good"),
        show(R::Deliveries, "deliveries", &[Char('D')], "What was sent to the endpoint, and how it went").only_in(&[ENDPOINTS]),
        act(&act::ENDPOINT_PAUSE, &[Char('p')], &[ENDPOINTS], G::Endpoints, "Keep what happens for an endpoint instead of sending it"),
        act(&act::ENDPOINT_UNPAUSE, &[Char('u')], &[ENDPOINTS], G::Endpoints, "Send a paused endpoint what was kept, and go on"),
        act(&act::PING, &[Char('i')], &[ENDPOINTS], G::Endpoints, "Send an endpoint a ping"),
        act(&act::SECRET_ROTATE, &[Char('n')], &[ENDPOINTS], G::Endpoints, "Give an endpoint another signing secret"),
        act(&act::ENDPOINT_ENABLE, &[Char('e')], &[ENDPOINTS], G::Endpoints, "Send to a disabled endpoint from now on"),
        act(&act::ENDPOINT_DISABLE, &[], &[ENDPOINTS], G::Endpoints, "Send nothing to an endpoint and keep nothing for it").unlisted(),
        act(&act::REDELIVER, &[Char('d')], &[DELIVERIES], G::Endpoints, "Send the event of a delivery once more"),

        step("mark", S::Mark, &[Char(' ')], LISTS, G::Lists, "Mark the record, for an act on several"),
        step("mark all", S::MarkAll, &[Char('*')], LISTS, G::Lists, "Mark every record that is loaded, or none").unlisted(),
        step("order", S::Order, &[Char('o')], LISTS, G::Lists, "Order by the next column that the server orders by").unlisted(),
        step("columns", S::Columns, &[Char('C')], LISTS, G::Lists, "Choose the columns of the list").unlisted(),
        step("", S::Mark, &[Char(' '), Enter], &[Context::Columns], G::Lists, "Show or hide the column").called("show or hide"),
        step("", S::MarkAll, &[Char('*')], &[Context::Columns], G::Lists, "Show every column").called("all"),
        step("reverse", S::Reverse, &[Ctrl('o')], LISTS, G::Lists, "Turn the order around").unlisted(),
        step("apply", S::Apply, &[Char('.')], LISTS, G::Lists, "Take in the changes that are waiting").unlisted(),
        step("follow", S::Follow, &[Char('f')], LISTS, G::Lists, "Keep the newest record in sight"),
        step("freeze", S::Freeze, &[Char('z')], BROWSING, G::Console, "Hold the screen still; again to let it go").unlisted(),

        step("tree", S::ShowTree, &[Char('T')], BROWSING, G::Views, "The tree of organizations").unlisted(),
        show(R::Organizations, "organizations", &[Char('O')], "Organizations as a list"),
        show(R::Wallet, "wallet", &[Char('W')], "The wallet and its buckets"),
        show(R::Ledger, "ledger", &[Char('L')], "The ledger, newest first"),
        show(R::Holds, "holds", &[Char('H')], "Holds and charges"),
        show(R::Keys, "keys", &[Char('K')], "API keys"),
        show(R::Members, "members", &[Char('M')], "People and their roles"),
        show(R::Endpoints, "endpoints", &[Char('P')], "Webhook endpoints"),
        show(R::Events, "events", &[Char('E')], "Events as they happen, here and below"),
        show(R::Audit, "audit", &[Char('A')], "The audit trail, here and below"),

        step("help", S::Help, &[Char('?')], BROWSING, G::Console, "Show every key"),
        step("commands", S::Palette, &[Char(':')], BROWSING, G::Console, "Type a command: keys /till, ledger, suspend"),
        step("back", S::Back, &[Char('['), Backspace], BROWSING, G::Moving, "Go back to the view before").unlisted(),
        step("forward", S::Forward, &[Char(']')], BROWSING, G::Moving, "Go forward again").unlisted(),
        step("leave", S::Back, &[Esc, Left, Char('h')], LISTS, G::Lists, "Go back to where the list was opened").called("back"),
        step("undo", S::Undo, &[Char('Z')], BROWSING, G::Console, "Open the act that undoes the last one").unlisted(),
        step("copy id", S::CopyId, &[Char('c')], BROWSING, G::Console, "Copy the id under the cursor").unlisted(),
        step("copy graphql", S::CopyGraphql, &[Char('y')], BROWSING, G::Console, "Copy what the view asks the gateway, as GraphQL").unlisted(),
        step("refresh", S::Refresh, &[Char('r')], BROWSING, G::Console, "Ask again for what is on the screen").unlisted(),
        step("quit", S::Quit, &[Char('q')], &[Context::Welcome, Context::Tree, Context::Detail, ORGANIZATIONS, WALLET, LEDGER, HOLDS, KEYS, MEMBERS, ENDPOINTS, DELIVERIES, EVENTS, AUDIT], G::Console, "Leave the console"),
        step("", S::QuitAnywhere, &[Ctrl('c')], EVERYWHERE, G::Console, "Leave the console, from anywhere").unlisted().called("quit"),
        step("", S::Stop, &[Ctrl('z')], EVERYWHERE, G::Console, "Stop the console; fg in the shell goes on").unlisted(),

        step("", S::Choose, &[Enter], &[Context::Finder], G::Finder, "Take the marked line").called("choose"),
        step("", S::Complete, &[Tab], &[Context::Finder], G::Finder, "Complete the word").called("complete"),
        step("", S::FinderUp, &[Up, Ctrl('p')], &[Context::Finder], G::Finder, "The line above; from the first, what was typed before").unlisted(),
        step("", S::FinderDown, &[Down, Ctrl('n')], &[Context::Finder], G::Finder, "Mark the line below").unlisted(),

        step("", S::Submit, &[Enter], &[Context::Editing], G::Dialog, "Go to the next field, then to the question").called("continue"),
        step("", S::NextField, &[Tab, Down], &[Context::Editing], G::Dialog, "Go to the next field").called("next field"),
        step("", S::PreviousField, &[BackTab, Up], &[Context::Editing], G::Dialog, "Go to the field before").unlisted(),
        step("", S::NextChoice, &[Ctrl('t')], &[Context::Editing], G::Dialog, "Take the next choice of this field").unlisted(),
        step("", S::SwitchAnswer, &[Tab, Left, Right], &[Context::Confirming], G::Dialog, "Mark the other answer; cancel is marked at first").called("other answer"),
        step("", S::Answer, &[Enter], &[Context::Confirming], G::Dialog, "Take the marked answer").called("take the marked"),
        step("", S::CopyGraphql, &[Char('y')], &[Context::Confirming, Context::Unknown, Context::Record], G::Dialog, "Copy it as GraphQL; does nothing else").called("copy as GraphQL"),
        step("", S::CheckAgain, &[Char('r')], &[Context::Unknown], G::Dialog, "Send the same idempotency key again to find out").called("check now"),
        step("", S::Edit, &[Char('e')], &[Context::Refused], G::Dialog, "Go back to the fields").called("change it"),
        step("", S::CopySecret, &[Char('y')], &[Context::Secret], G::Dialog, "Copy the secret through the terminal (OSC 52)").called("copy"),
        step("", S::CopyId, &[Char('c')], &[Context::Record], G::Dialog, "Copy the record's id").called("copy id"),
        step("", S::Refresh, &[Char('r')], &[Context::Record], G::Dialog, "Read the record again").called("read again"),
        step("", S::Close, &[Esc], CLOSING, G::Dialog, "Close without doing anything more").called("close"),
        step("", S::Close, &[Char('q'), Char('?')], &[Context::Help, Context::Record, Context::Columns], G::Dialog, "Close").unlisted(),
        step("", S::Close, &[Char('n'), Char('q')], &[Context::Confirming], G::Dialog, "Cancel").unlisted(),
    ]
};
