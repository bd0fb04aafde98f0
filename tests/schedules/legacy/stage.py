"""The tables of the older systems, and rows in them, as SQL that MariaDB takes."""

import csv
import json
from pathlib import Path
from typing import Any

KB_SCHEDULE = """
CREATE TABLE `kb_schedule` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `title` varchar(255) NOT NULL,
  `description` text DEFAULT NULL,
  `created_by_type` enum('headquarters','distributor','agency','branch') NOT NULL,
  `created_by_id` varchar(50) NOT NULL,
  `created_by_mb_id` varchar(50) NOT NULL,
  `target_room_id` varchar(100) NOT NULL,
  `target_room_type` enum('live','test') DEFAULT 'live',
  `message_text` text DEFAULT NULL,
  `message_images` longtext DEFAULT NULL,
  `send_order` enum('text_first','images_first','images_only','text_only') DEFAULT 'text_first',
  `send_interval_seconds` int(11) DEFAULT 1,
  `schedule_type` enum('once','weekly','daily') NOT NULL,
  `schedule_date` date DEFAULT NULL,
  `schedule_time` time NOT NULL,
  `schedule_weekdays` set('monday','tuesday','wednesday','thursday','friday','saturday','sunday')
    DEFAULT NULL,
  `valid_from` datetime DEFAULT NULL,
  `valid_until` datetime DEFAULT NULL,
  `status` enum('active','inactive','completed','error') DEFAULT 'active',
  `last_sent_at` datetime DEFAULT NULL,
  `next_send_at` datetime DEFAULT NULL,
  `send_count` int(11) DEFAULT 0,
  `created_at` datetime DEFAULT current_timestamp(),
  `updated_at` datetime DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `idx_next` (`next_send_at`,`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
"""
KB_LOGS = """
CREATE TABLE `kb_schedule_logs` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `schedule_id` int(11) NOT NULL,
  `target_room_id` varchar(100) NOT NULL,
  `sent_message_text` text DEFAULT NULL,
  `sent_images` longtext DEFAULT NULL,
  `send_order` enum('text_first','images_first','images_only','text_only') DEFAULT NULL,
  `status` enum('success','failed','partial') NOT NULL,
  `error_message` text DEFAULT NULL,
  `api_response` longtext DEFAULT NULL,
  `scheduled_at` datetime NOT NULL,
  `started_at` datetime NOT NULL,
  `completed_at` datetime DEFAULT NULL,
  `duration_ms` int(11) DEFAULT NULL,
  `created_at` datetime DEFAULT current_timestamp(),
  PRIMARY KEY (`id`),
  CONSTRAINT `of_schedule` FOREIGN KEY (`schedule_id`) REFERENCES `kb_schedule` (`id`)
    ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
"""
CAMPAIGNS = """
CREATE TABLE `campaigns` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `title` varchar(100) NOT NULL,
  `scheduled_at` datetime DEFAULT NULL,
  `sent_at` datetime DEFAULT NULL,
  `status` enum('DRAFT','SCHEDULED','SENT','FAILED') NOT NULL,
  `sent_count` int(11) DEFAULT 0,
  `error_message` varchar(500) DEFAULT NULL,
  `target_audience` varchar(255) DEFAULT NULL,
  `message` text DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
"""
VIDEO = """
CREATE TABLE `video` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `title` varchar(300) NOT NULL,
  `status` varchar(20) NOT NULL,
  `scheduled_publish_at` datetime DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
"""
TABLES = {
    "kb_schedule": KB_SCHEDULE, "kb_schedule_logs": KB_LOGS, "campaigns": CAMPAIGNS, "video": VIDEO,
}  # fmt: skip

# As a system on PostgreSQL has them: types of its own, arrays, moments with and without a zone.
POSTGRESQL = {
    "kb_schedule": """
CREATE TYPE day AS ENUM ('monday','tuesday','wednesday','thursday','friday','saturday','sunday');
CREATE TYPE level AS ENUM ('headquarters','distributor','agency','branch');
CREATE TABLE kb_schedule (
  id serial PRIMARY KEY, title varchar(255) NOT NULL, description text, created_by_type level,
  created_by_id varchar(50), created_by_mb_id varchar(50), target_room_id varchar(100),
  target_room_type varchar(4), message_text text, message_images jsonb, send_order varchar(12),
  send_interval_seconds int, schedule_type varchar(6), schedule_date date, schedule_time time,
  schedule_weekdays day[], valid_from timestamp, valid_until timestamp, status varchar(9),
  last_sent_at timestamp, next_send_at timestamp, send_count int, created_at timestamp,
  updated_at timestamp);
""",
    "kb_schedule_logs": """
CREATE TABLE kb_schedule_logs (
  id bigserial PRIMARY KEY, schedule_id int REFERENCES kb_schedule ON DELETE CASCADE,
  target_room_id varchar(100), sent_message_text text, sent_images jsonb, send_order varchar(12),
  status varchar(7), error_message text, api_response json, scheduled_at timestamp,
  started_at timestamp, completed_at timestamp, duration_ms int, created_at timestamp);
""",
    "campaigns": """
CREATE TYPE campaign_state AS ENUM ('DRAFT','SCHEDULED','SENT','FAILED');
CREATE TABLE campaigns (
  id bigserial PRIMARY KEY, title varchar(100), scheduled_at timestamp, sent_at timestamp,
  status campaign_state, sent_count int, error_message varchar(500), target_audience text,
  message text);
""",
    "video": """
CREATE TABLE video (
  id bigserial PRIMARY KEY, title varchar(300), status varchar(20),
  scheduled_publish_at timestamptz);
""",
}

Row = dict[str, Any]


def schedule(number: int, **values: Any) -> Row:
    """A branch's daily text at nine, active."""
    return {
        "id": number,
        "title": "7월 프로모션",
        "description": "",
        "created_by_type": "branch",
        "created_by_id": "xinyi",
        "created_by_mb_id": "xinyi",
        "target_room_id": "old room",
        "target_room_type": "live",
        "message_text": f"오늘의 특가 {number} ☕",
        "message_images": None,
        "send_order": "text_first",
        "send_interval_seconds": 1,
        "schedule_type": "daily",
        "schedule_date": None,
        "schedule_time": "09:00:00",
        "schedule_weekdays": None,
        "valid_from": "2025-07-01 00:00:00",
        "valid_until": "2099-12-31 23:59:59",
        "status": "active",
        "last_sent_at": None,
        "next_send_at": None,
        "send_count": 0,
        "created_at": "2025-07-01 10:30:00",
        "updated_at": "2025-07-01 10:30:00",
        **values,
    }


def log(number: int, schedule_id: int, **values: Any) -> Row:
    """It was sent on 14 July at nine, a second late, in a second and a half."""
    return {
        "id": number,
        "schedule_id": schedule_id,
        "target_room_id": "old room",
        "sent_message_text": "오늘의 특가",
        "sent_images": None,
        "send_order": "text_first",
        "status": "success",
        "error_message": None,
        "api_response": '{"ok": true}',
        "scheduled_at": "2025-07-14 09:00:00",
        "started_at": "2025-07-14 09:00:01",
        "completed_at": None,
        "duration_ms": 1500,
        "created_at": "2025-07-14 09:00:03",
        **values,
    }


def campaign(number: int, **values: Any) -> Row:
    """Sent to the VIPs of Taipei."""
    return {
        "id": number,
        "title": "週年慶",
        "scheduled_at": "2025-10-01 10:00:00",
        "sent_at": "2025-10-01 10:00:04",
        "status": "SENT",
        "sent_count": 120,
        "error_message": None,
        "target_audience": "vip",
        "message": "全館八折",
        **values,
    }


def video(number: int, **values: Any) -> Row:
    """Still a draft, to be published on New Year's Day 2099."""
    return {
        "id": number,
        "title": f"新年特輯 {number}",
        "status": "DRAFT",
        "scheduled_publish_at": "2099-01-01 20:00:00",
        **values,
    }


def images(*names: str) -> str:
    """The column message_images with these files."""
    return json.dumps(
        {"images": [{"id": 1, "filename": n, "original_name": f"사진 {n}"} for n in names]}
    )


def literal(value: Any) -> str:
    """As mysqldump writes it."""
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    text = str(value).replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{text}'"


def insert(table: str, rows: list[Row]) -> str:
    values = ",".join(f"({','.join(map(literal, row.values()))})" for row in rows)
    return f"INSERT INTO `{table}` VALUES {values};\n"


def dump(**tables: list[Row]) -> str:
    """As mysqldump writes these tables."""
    parts = ["-- MariaDB dump 10.19\n/*!40101 SET NAMES utf8mb4 */;\n"]
    for table, rows in tables.items():
        parts += [f"DROP TABLE IF EXISTS `{table}`;", TABLES[table]]
        parts += [f"LOCK TABLES `{table}` WRITE;\n", insert(table, rows), "UNLOCK TABLES;\n"]
    return "".join(parts)


def write_csv(folder: Path, **tables: list[Row]) -> list[Path]:
    """A file for each table, as exports write them."""
    files = []
    for table, rows in tables.items():
        files.append(folder / f"{table}.csv")
        with files[-1].open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(rows[0])
            writer.writerows([["\\N" if v is None else v for v in row.values()] for row in rows])
    return files
