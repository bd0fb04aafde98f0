"""A URL of each service that is allowed, and the host that it leads to."""

SECRET = "s3cret"

EXAMPLES = {
    "brevo": (f"brevo://{SECRET}:from@example.com/to@example.com", "api.brevo.com"),
    "dingtalk": (f"dingtalk://{SECRET}", "oapi.dingtalk.com"),
    "discord": (f"discord://4174216298/{SECRET}", "discord.com"),
    "feishu": (f"feishu://{SECRET}", "open.feishu.cn"),
    "gchat": (f"gchat://workspace/key/{SECRET}", "chat.googleapis.com"),
    "lark": (f"lark://{SECRET}", "open.larksuite.com"),
    "mailgun": (f"mailgun://user@example.com/{SECRET}/to@example.com", "api.mailgun.net"),
    "mailto": (f"mailto://user:{SECRET}@gmail.com/to@example.com", "smtp.gmail.com"),
    "mailtos": (f"mailtos://user:{SECRET}@example.com:465/to@example.com", "example.com"),
    "ntfy": (f"ntfy://{SECRET}", "ntfy.sh"),
    "pbul": (f"pbul://{SECRET}", "api.pushbullet.com"),
    "postmark": (f"postmark://{SECRET}:from@example.com/to@example.com", "api.postmarkapp.com"),
    "pover": (f"pover://{'u' * 30}@{SECRET}{'t' * 24}", "api.pushover.net"),
    "resend": (f"resend://{SECRET}:from@example.com/to@example.com", "api.resend.com"),
    "sendgrid": (f"sendgrid://{SECRET}:from@example.com/to@example.com", "api.sendgrid.com"),
    "slack": (f"slack://T1JJ3T3L2/A1BRTD4JD/{SECRET}{'x' * 18}", "hooks.slack.com"),
    "smtp2go": (f"smtp2go://user@example.com/{SECRET}/to@example.com", "api.smtp2go.com"),
    "tgram": (f"tgram://123456789:{SECRET}/-1001234", "api.telegram.org"),
    "wecombot": (f"wecombot://{SECRET}", "qyapi.weixin.qq.com"),
    "workflows": (
        f"workflows://prod-12.westeurope.logic.azure.com:443/643e69/{SECRET}",
        "prod-12.westeurope.logic.azure.com",
    ),
    "wxteams": (f"wxteams://{SECRET}{'a' * 80}", "api.ciscospark.com"),
}
