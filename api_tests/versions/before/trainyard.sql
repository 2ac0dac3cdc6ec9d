BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0003');
CREATE TABLE "attempts" (
	job_id VARCHAR(64) NOT NULL, 
	number INTEGER NOT NULL, 
	worker_id VARCHAR(64) NOT NULL, 
	request_id VARCHAR(64) NOT NULL, 
	token VARCHAR(64) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	reason VARCHAR(32), 
	message TEXT, 
	created_at DATETIME NOT NULL, 
	started_at DATETIME, 
	finished_at DATETIME, 
	heard_at DATETIME NOT NULL, 
	acked_seq INTEGER NOT NULL, 
	spared BOOLEAN NOT NULL, 
	CONSTRAINT pk_attempts PRIMARY KEY (job_id, number), 
	CONSTRAINT uq_attempts_worker_id_request_id UNIQUE (worker_id, request_id)
);
INSERT INTO "attempts" VALUES('job_01M8C4SC3XGMQJFPJGVK0SWJP1',1,'wrk_before','request-1','ULP3YRCAVbRyOIQGN480rEN8wv44MFjX','succeeded','finished',NULL,'2026-11-26 14:40:08.908789','2026-11-26 14:40:08.966339','2026-11-26 14:40:09.033891','2026-11-26 14:40:09.033891',1,0);
INSERT INTO "attempts" VALUES('job_01M8C4SCBZ350DSGNSBM286JJJ',1,'wrk_before','request-2','P7q99sZcYEUdxYrZVgZZGRkVF3S-CmS9','released','released',NULL,'2026-11-26 14:40:09.152650','2026-11-26 14:40:09.235931','2026-11-26 14:40:09.316130','2026-11-26 14:40:09.316130',8,0);
INSERT INTO "attempts" VALUES('job_01M8C4SCBZ350DSGNSBM286JJJ',2,'wrk_before','request-3','Metqr_TNs0LUnM2_j_aas8hj7CEPcRiu','running',NULL,NULL,'2026-11-26 14:40:09.363889','2026-11-26 14:40:09.416067',NULL,'2026-11-26 14:40:09.416067',0,0);
CREATE TABLE checkpoint_tags (
	tag VARCHAR(64) NOT NULL, 
	checkpoint_id VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_checkpoint_tags PRIMARY KEY (tag, checkpoint_id)
);
INSERT INTO "checkpoint_tags" VALUES('good','ckpt_0SWJP1_1_4');
CREATE TABLE checkpoints (
	id VARCHAR(64) NOT NULL, 
	job_id VARCHAR(64) NOT NULL, 
	attempt INTEGER NOT NULL, 
	recipe VARCHAR(64) NOT NULL, 
	variant VARCHAR(64) NOT NULL, 
	step INTEGER NOT NULL, 
	phase VARCHAR(16) NOT NULL, 
	is_final BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, 
	metrics JSON NOT NULL, 
	bytes INTEGER NOT NULL, 
	path TEXT NOT NULL, 
	pinned BOOLEAN NOT NULL, 
	tags JSON NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	parent_checkpoint VARCHAR(64), 
	manifest JSON NOT NULL, 
	loss FLOAT, 
	top1_error FLOAT, 
	top5_error FLOAT, 
	CONSTRAINT pk_checkpoints PRIMARY KEY (id)
);
INSERT INTO "checkpoints" VALUES('ckpt_0SWJP1_1_4','job_01M8C4SC3XGMQJFPJGVK0SWJP1',1,'oneshot','searched',4,'train',0,'2026-01-01 00:00:00.000000','{"top1_error": 0.5}',7,'jobs/job_01M8C4SC3XGMQJFPJGVK0SWJP1/attempts/1/step-000000004',1,'["good"]','published',NULL,'{"format": 1, "checkpoint_id": "ckpt_0SWJP1_1_4", "job_id": "job_01M8C4SC3XGMQJFPJGVK0SWJP1", "attempt": 1, "step": 4, "phase": "train", "recipe": "oneshot", "variant": "searched", "num_classes": 10, "class_names": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], "image_size": 224, "preprocessing": "bgr255", "spec_sha256": "0000000000000000000000000000000000000000000000000000000000000000", "world_size": 1, "created_at": "2026-01-01T00:00:00Z", "metrics": {"top1_error": 0.5}, "aliases": {}, "versions": {"torch": "2.5.0"}, "parent_checkpoint": null, "files": {"model.safetensors": {"bytes": 7, "sha256": "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c"}}}',NULL,0.5,NULL);
INSERT INTO "checkpoints" VALUES('ckpt_286JJJ_1_4','job_01M8C4SCBZ350DSGNSBM286JJJ',1,'oneshot','searched',4,'train',0,'2026-01-01 00:00:00.000000','{"top1_error": 0.5}',7,'jobs/job_01M8C4SCBZ350DSGNSBM286JJJ/attempts/1/step-000000004',0,'[]','purging',NULL,'{"format": 1, "checkpoint_id": "ckpt_286JJJ_1_4", "job_id": "job_01M8C4SCBZ350DSGNSBM286JJJ", "attempt": 1, "step": 4, "phase": "train", "recipe": "oneshot", "variant": "searched", "num_classes": 10, "class_names": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], "image_size": 224, "preprocessing": "bgr255", "spec_sha256": "0000000000000000000000000000000000000000000000000000000000000000", "world_size": 1, "created_at": "2026-01-01T00:00:00Z", "metrics": {"top1_error": 0.5}, "aliases": {}, "versions": {"torch": "2.5.0"}, "parent_checkpoint": null, "files": {"model.safetensors": {"bytes": 7, "sha256": "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c"}}}',NULL,0.5,NULL);
INSERT INTO "checkpoints" VALUES('ckpt_286JJJ_1_8','job_01M8C4SCBZ350DSGNSBM286JJJ',1,'oneshot','searched',8,'train',0,'2026-01-01 00:00:00.000000','{"top1_error": 0.5}',7,'jobs/job_01M8C4SCBZ350DSGNSBM286JJJ/attempts/1/step-000000008',0,'[]','published',NULL,'{"format": 1, "checkpoint_id": "ckpt_286JJJ_1_8", "job_id": "job_01M8C4SCBZ350DSGNSBM286JJJ", "attempt": 1, "step": 8, "phase": "train", "recipe": "oneshot", "variant": "searched", "num_classes": 10, "class_names": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], "image_size": 224, "preprocessing": "bgr255", "spec_sha256": "0000000000000000000000000000000000000000000000000000000000000000", "world_size": 1, "created_at": "2026-01-01T00:00:00Z", "metrics": {"top1_error": 0.5}, "aliases": {}, "versions": {"torch": "2.5.0"}, "parent_checkpoint": null, "files": {"model.safetensors": {"bytes": 7, "sha256": "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c"}}}',NULL,0.5,NULL);
INSERT INTO "checkpoints" VALUES('ckpt_286JJJ_1_12','job_01M8C4SCBZ350DSGNSBM286JJJ',1,'oneshot','searched',12,'train',0,'2026-01-01 00:00:00.000000','{"top1_error": 0.5}',7,'jobs/job_01M8C4SCBZ350DSGNSBM286JJJ/attempts/1/step-000000012',0,'[]','published',NULL,'{"format": 1, "checkpoint_id": "ckpt_286JJJ_1_12", "job_id": "job_01M8C4SCBZ350DSGNSBM286JJJ", "attempt": 1, "step": 12, "phase": "train", "recipe": "oneshot", "variant": "searched", "num_classes": 10, "class_names": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], "image_size": 224, "preprocessing": "bgr255", "spec_sha256": "0000000000000000000000000000000000000000000000000000000000000000", "world_size": 1, "created_at": "2026-01-01T00:00:00Z", "metrics": {"top1_error": 0.5}, "aliases": {}, "versions": {"torch": "2.5.0"}, "parent_checkpoint": null, "files": {"model.safetensors": {"bytes": 7, "sha256": "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c"}}}',NULL,0.5,NULL);
CREATE TABLE deleted_jobs (
	job_id VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_deleted_jobs PRIMARY KEY (job_id)
);
INSERT INTO "deleted_jobs" VALUES('job_deleted');
CREATE TABLE events (
	number INTEGER NOT NULL, 
	job_id VARCHAR(64) NOT NULL, 
	attempt INTEGER, 
	kind VARCHAR(32) NOT NULL, 
	message TEXT NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_events PRIMARY KEY (number)
);
INSERT INTO "events" VALUES(1,'job_01M8C4SC3XGMQJFPJGVK0SWJP1',NULL,'submitted','submitted: train of oneshot','2026-11-26 14:40:08.829209');
INSERT INTO "events" VALUES(2,'job_01M8C4SC3XGMQJFPJGVK0SWJP1',1,'claimed','claimed by gpu-1','2026-11-26 14:40:08.908789');
INSERT INTO "events" VALUES(3,'job_01M8C4SC3XGMQJFPJGVK0SWJP1',1,'checkpoint','checkpoint at step 4: ckpt_0SWJP1_1_4','2026-11-26 14:40:08.966339');
INSERT INTO "events" VALUES(4,'job_01M8C4SC3XGMQJFPJGVK0SWJP1',1,'succeeded','succeeded','2026-11-26 14:40:09.033891');
INSERT INTO "events" VALUES(5,'job_01M8C4SCBZ350DSGNSBM286JJJ',NULL,'submitted','submitted: train of oneshot','2026-11-26 14:40:09.087850');
INSERT INTO "events" VALUES(6,'job_01M8C4SCBZ350DSGNSBM286JJJ',1,'claimed','claimed by gpu-1','2026-11-26 14:40:09.152650');
INSERT INTO "events" VALUES(7,'job_01M8C4SCBZ350DSGNSBM286JJJ',1,'started','attempt 1 started','2026-11-26 14:40:09.235931');
INSERT INTO "events" VALUES(8,'job_01M8C4SCBZ350DSGNSBM286JJJ',1,'checkpoint','checkpoint at step 4: ckpt_286JJJ_1_4','2026-11-26 14:40:09.235931');
INSERT INTO "events" VALUES(9,'job_01M8C4SCBZ350DSGNSBM286JJJ',1,'checkpoint','checkpoint at step 8: ckpt_286JJJ_1_8','2026-11-26 14:40:09.235931');
INSERT INTO "events" VALUES(10,'job_01M8C4SCBZ350DSGNSBM286JJJ',1,'checkpoint','checkpoint at step 12: ckpt_286JJJ_1_12','2026-11-26 14:40:09.235931');
INSERT INTO "events" VALUES(11,'job_01M8C4SCBZ350DSGNSBM286JJJ',1,'note','a word to the user','2026-11-26 14:40:09.235931');
INSERT INTO "events" VALUES(12,'job_01M8C4SCBZ350DSGNSBM286JJJ',1,'requeued','attempt 1 ended: released; back to the queue','2026-11-26 14:40:09.316130');
INSERT INTO "events" VALUES(13,'job_01M8C4SCBZ350DSGNSBM286JJJ',2,'claimed','claimed by gpu-1','2026-11-26 14:40:09.363889');
INSERT INTO "events" VALUES(14,'job_01M8C4SCV6VERW0TCK9JZNWKNX',NULL,'submitted','submitted: train of oneshot','2026-11-26 14:40:09.574498');
INSERT INTO "events" VALUES(15,'job_01M8C4SCV6VERW0TCK9JZNWKNX',NULL,'cancel','cancel asked (graceful)','2026-11-26 14:40:09.632128');
INSERT INTO "events" VALUES(16,'job_01M8C4SCYQEE45KBMWJX0GVQKM',NULL,'submitted','submitted: train of oneshot','2026-11-26 14:40:09.687839');
INSERT INTO "events" VALUES(17,'job_01M8C4SCYQEE45KBMWJX0GVQKM',NULL,'paused','pause asked while queued','2026-11-26 14:40:09.746587');
INSERT INTO "events" VALUES(18,'job_01M8C4SD2BXVF87SXZ3TDTESAW',NULL,'submitted','submitted: train of oneshot','2026-11-26 14:40:09.803749');
INSERT INTO "events" VALUES(19,'job_01M8C4SD3Y2BHRV05467M2Z2QT',NULL,'submitted','submitted: eval of oneshot','2026-11-26 14:40:09.854224');
INSERT INTO "events" VALUES(20,'job_01M8C4SD5W6RFQXADQQ3RPXFGR',NULL,'submitted','submitted: export of ckpt_0SWJP1_1_4','2026-11-26 14:40:09.916177');
INSERT INTO "events" VALUES(21,'job_01M8C4SD7G7WCWD8X4GD8HE4X9',NULL,'submitted','submitted: import of weights.pth','2026-11-26 14:40:09.968394');
CREATE TABLE idempotency_keys (
	"key" VARCHAR(255) NOT NULL, 
	body_sha256 VARCHAR(64) NOT NULL, 
	job_id VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_idempotency_keys PRIMARY KEY ("key")
);
INSERT INTO "idempotency_keys" VALUES('key-1','e2ae06776198340bcea61be4dc120bcefa4ef8b16b79fa95ec0188ba7fd15332','job_01M8C4SCBZ350DSGNSBM286JJJ','2026-11-26 14:40:09.087850');
CREATE TABLE "jobs" (
	id VARCHAR(64) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	recipe VARCHAR(64), 
	variant VARCHAR(64), 
	name VARCHAR(200), 
	labels JSON NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	reason VARCHAR(32), 
	message TEXT, 
	created_at DATETIME NOT NULL, 
	started_at DATETIME, 
	finished_at DATETIME, 
	gpus INTEGER NOT NULL, 
	spec JSON NOT NULL, 
	progress JSON NOT NULL, 
	metrics JSON NOT NULL, 
	attempt INTEGER NOT NULL, 
	failures INTEGER NOT NULL, 
	losses INTEGER NOT NULL, 
	not_before DATETIME, 
	stop_mode VARCHAR(16), 
	latest_checkpoint VARCHAR(64), 
	best_checkpoint VARCHAR(64), 
	source_checkpoint VARCHAR(64), 
	result JSON, 
	parent_job_id VARCHAR(64), 
	version INTEGER NOT NULL, 
	rank INTEGER NOT NULL, 
	needs TEXT NOT NULL, 
	CONSTRAINT pk_jobs PRIMARY KEY (id)
);
INSERT INTO "jobs" VALUES('job_01M8C4SC3XGMQJFPJGVK0SWJP1','train','oneshot','searched',NULL,'{}','succeeded','finished',NULL,'2026-11-26 14:40:08.829209','2026-11-26 14:40:08.908789','2026-11-26 14:40:09.033891',0,'{"name": null, "labels": {}, "resources": {"gpus": 0, "labels": {}}, "priority": 0, "max_failures": 2, "kind": "train", "recipe": "oneshot", "variant": "searched", "data": {"dataset": "digits", "train_dir": null, "val_dir": null}, "params": {"total_iters": 40, "batch_size": 32, "learning_rate": 0.5, "momentum": 0.9, "weight_decay": 4e-05, "label_smoothing": 0.1, "dropout": null, "image_size": 224, "num_classes": null, "preprocessing": "bgr255", "mean_image": null, "display_interval": 20, "val_interval": 10000, "save_interval": 10000, "bn_recalibration_iters": null, "seed": 0, "data_workers": 0}, "retention": {"keep_last": 2, "keep_best": 0, "metric": "top1_error"}, "init_from": null, "checkpoint": null}','{"step": 40, "total_steps": 40, "fraction": 1.0, "eta_seconds": 0.0, "images_per_second": null, "phase": "train"}','{}',1,0,0,NULL,NULL,'ckpt_0SWJP1_1_4','ckpt_0SWJP1_1_4',NULL,'null',NULL,4,0,'{}');
INSERT INTO "jobs" VALUES('job_01M8C4SCBZ350DSGNSBM286JJJ','train','oneshot','searched','a training','{"team": "vision"}','running',NULL,NULL,'2026-11-26 14:40:09.087850','2026-11-26 14:40:09.152650',NULL,0,'{"name": "a training", "labels": {"team": "vision"}, "resources": {"gpus": 0, "labels": {}}, "priority": 0, "max_failures": 2, "kind": "train", "recipe": "oneshot", "variant": "searched", "data": {"dataset": "digits", "train_dir": null, "val_dir": null}, "params": {"total_iters": 40, "batch_size": 32, "learning_rate": 0.5, "momentum": 0.9, "weight_decay": 4e-05, "label_smoothing": 0.1, "dropout": null, "image_size": 224, "num_classes": null, "preprocessing": "bgr255", "mean_image": null, "display_interval": 20, "val_interval": 10000, "save_interval": 10000, "bn_recalibration_iters": null, "seed": 0, "data_workers": 0}, "retention": {"keep_last": 2, "keep_best": 0, "metric": "top1_error"}, "init_from": null, "checkpoint": null}','{"step": 2, "total_steps": 40, "fraction": 0.05, "eta_seconds": null, "images_per_second": null, "phase": "train"}','{"loss": 2.0, "top1_error": 0.5, "val_loss": 1.5}',2,0,0,NULL,NULL,'ckpt_286JJJ_1_12','ckpt_286JJJ_1_12',NULL,'null',NULL,5,0,'{}');
INSERT INTO "jobs" VALUES('job_01M8C4SCV6VERW0TCK9JZNWKNX','train','oneshot','searched',NULL,'{}','cancelled','cancelled','cancelled while queued','2026-11-26 14:40:09.574498',NULL,'2026-11-26 14:40:09.632128',0,'{"name": null, "labels": {}, "resources": {"gpus": 0, "labels": {}}, "priority": 0, "max_failures": 2, "kind": "train", "recipe": "oneshot", "variant": "searched", "data": {"dataset": "digits", "train_dir": null, "val_dir": null}, "params": {"total_iters": 40, "batch_size": 32, "learning_rate": 0.5, "momentum": 0.9, "weight_decay": 4e-05, "label_smoothing": 0.1, "dropout": null, "image_size": 224, "num_classes": null, "preprocessing": "bgr255", "mean_image": null, "display_interval": 20, "val_interval": 10000, "save_interval": 10000, "bn_recalibration_iters": null, "seed": 0, "data_workers": 0}, "retention": {"keep_last": 2, "keep_best": 0, "metric": "top1_error"}, "init_from": null, "checkpoint": null}','{"step": 0, "total_steps": 40, "fraction": 0.0, "eta_seconds": null, "images_per_second": null, "phase": "train"}','{}',0,0,0,NULL,'graceful',NULL,NULL,NULL,'null',NULL,2,0,'{}');
INSERT INTO "jobs" VALUES('job_01M8C4SCYQEE45KBMWJX0GVQKM','train','oneshot','searched',NULL,'{}','paused','paused',NULL,'2026-11-26 14:40:09.687839',NULL,NULL,0,'{"name": null, "labels": {}, "resources": {"gpus": 0, "labels": {}}, "priority": 0, "max_failures": 2, "kind": "train", "recipe": "oneshot", "variant": "searched", "data": {"dataset": "digits", "train_dir": null, "val_dir": null}, "params": {"total_iters": 40, "batch_size": 32, "learning_rate": 0.5, "momentum": 0.9, "weight_decay": 4e-05, "label_smoothing": 0.1, "dropout": null, "image_size": 224, "num_classes": null, "preprocessing": "bgr255", "mean_image": null, "display_interval": 20, "val_interval": 10000, "save_interval": 10000, "bn_recalibration_iters": null, "seed": 0, "data_workers": 0}, "retention": {"keep_last": 2, "keep_best": 0, "metric": "top1_error"}, "init_from": null, "checkpoint": null}','{"step": 0, "total_steps": 40, "fraction": 0.0, "eta_seconds": null, "images_per_second": null, "phase": "train"}','{}',0,0,0,NULL,NULL,NULL,NULL,NULL,'null',NULL,2,0,'{}');
INSERT INTO "jobs" VALUES('job_01M8C4SD2BXVF87SXZ3TDTESAW','train','oneshot','searched',NULL,'{}','queued',NULL,NULL,'2026-11-26 14:40:09.803749',NULL,NULL,0,'{"name": null, "labels": {}, "resources": {"gpus": 0, "labels": {}}, "priority": 0, "max_failures": 2, "kind": "train", "recipe": "oneshot", "variant": "searched", "data": {"dataset": "digits", "train_dir": null, "val_dir": null}, "params": {"total_iters": 40, "batch_size": 32, "learning_rate": 0.5, "momentum": 0.9, "weight_decay": 4e-05, "label_smoothing": 0.1, "dropout": null, "image_size": 224, "num_classes": null, "preprocessing": "bgr255", "mean_image": null, "display_interval": 20, "val_interval": 10000, "save_interval": 10000, "bn_recalibration_iters": null, "seed": 0, "data_workers": 0}, "retention": {"keep_last": 2, "keep_best": 0, "metric": "top1_error"}, "init_from": null, "checkpoint": null}','{"step": 0, "total_steps": 40, "fraction": 0.0, "eta_seconds": null, "images_per_second": null, "phase": "train"}','{}',0,0,0,NULL,NULL,NULL,NULL,NULL,'null',NULL,1,0,'{}');
INSERT INTO "jobs" VALUES('job_01M8C4SD3Y2BHRV05467M2Z2QT','eval','oneshot','searched',NULL,'{}','queued',NULL,NULL,'2026-11-26 14:40:09.854224',NULL,NULL,0,'{"name": null, "labels": {}, "resources": {"gpus": 0, "labels": {}}, "priority": 0, "max_failures": 2, "kind": "eval", "recipe": "oneshot", "variant": "searched", "data": {"dataset": "digits", "train_dir": null, "val_dir": null}, "params": {"total_iters": 40, "batch_size": 32, "learning_rate": 0.5, "momentum": 0.9, "weight_decay": 4e-05, "label_smoothing": 0.1, "dropout": null, "image_size": 224, "num_classes": null, "preprocessing": "bgr255", "mean_image": null, "display_interval": 20, "val_interval": 10000, "save_interval": 10000, "bn_recalibration_iters": null, "seed": 0, "data_workers": 0}, "retention": {"keep_last": 2, "keep_best": 0, "metric": "top1_error"}, "init_from": null, "checkpoint": {"id": "ckpt_0SWJP1_1_4", "job": null, "which": "latest", "file": null, "state": "weights", "head": "keep"}}','{"step": 0, "total_steps": 1, "fraction": 0.0, "eta_seconds": null, "images_per_second": null, "phase": "eval"}','{}',0,0,0,NULL,NULL,NULL,NULL,'ckpt_0SWJP1_1_4','null',NULL,1,0,'{}');
INSERT INTO "jobs" VALUES('job_01M8C4SD5W6RFQXADQQ3RPXFGR','export','oneshot','searched','export ckpt_0SWJP1_1_4 as pth.tar','{}','queued',NULL,NULL,'2026-11-26 14:40:09.916177',NULL,NULL,0,'{"name": "export ckpt_0SWJP1_1_4 as pth.tar", "labels": {}, "resources": {"gpus": 0, "labels": {}}, "priority": 0, "max_failures": 2, "kind": "export", "request": {"checkpoint": "ckpt_0SWJP1_1_4", "format": "pth.tar", "module_prefix": false}, "recipe": "oneshot", "params": {"total_iters": 40, "batch_size": 32, "learning_rate": 0.5, "momentum": 0.9, "weight_decay": 4e-05, "label_smoothing": 0.1, "dropout": null, "image_size": 224, "num_classes": null, "preprocessing": "bgr255", "mean_image": null, "display_interval": 20, "val_interval": 10000, "save_interval": 10000, "bn_recalibration_iters": null, "seed": 0, "data_workers": 0}}','{"step": 0, "total_steps": 1, "fraction": 0.0, "eta_seconds": null, "images_per_second": null, "phase": "export"}','{}',0,0,0,NULL,NULL,NULL,NULL,'ckpt_0SWJP1_1_4','null',NULL,1,0,'{}');
INSERT INTO "jobs" VALUES('job_01M8C4SD7G7WCWD8X4GD8HE4X9','import',NULL,NULL,'import weights.pth','{}','queued',NULL,NULL,'2026-11-26 14:40:09.968394',NULL,NULL,0,'{"name": "import weights.pth", "labels": {}, "resources": {"gpus": 0, "labels": {}}, "priority": 0, "max_failures": 2, "kind": "import", "request": {"file": "weights.pth", "recipe": null, "variant": null, "preprocessing": null, "mean_image": null, "image_size": 224, "class_names": null, "tags": []}}','{"step": 0, "total_steps": 1, "fraction": 0.0, "eta_seconds": null, "images_per_second": null, "phase": "import"}','{}',0,0,0,NULL,NULL,NULL,NULL,NULL,'null',NULL,1,0,'{}');
CREATE TABLE limits (
	label VARCHAR(64) NOT NULL, 
	value VARCHAR(255) NOT NULL, 
	most INTEGER NOT NULL, 
	CONSTRAINT pk_limits PRIMARY KEY (label, value)
);
INSERT INTO "limits" VALUES('team','vision',2);
CREATE TABLE metrics (
	job_id VARCHAR(64) NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	step INTEGER NOT NULL, 
	value FLOAT NOT NULL, 
	CONSTRAINT pk_metrics PRIMARY KEY (job_id, name, step)
);
INSERT INTO "metrics" VALUES('job_01M8C4SCBZ350DSGNSBM286JJJ','loss',2,2.0);
INSERT INTO "metrics" VALUES('job_01M8C4SCBZ350DSGNSBM286JJJ','top1_error',12,0.5);
INSERT INTO "metrics" VALUES('job_01M8C4SCBZ350DSGNSBM286JJJ','val_loss',12,1.5);
CREATE TABLE "workers" (
	id VARCHAR(64) NOT NULL, 
	host VARCHAR(255) NOT NULL, 
	process JSON NOT NULL, 
	gpus JSON NOT NULL, 
	labels JSON NOT NULL, 
	slots INTEGER NOT NULL, 
	version VARCHAR(64) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	message TEXT, 
	registered_at DATETIME NOT NULL, 
	last_seen_at DATETIME NOT NULL, 
	trusted_at DATETIME NOT NULL, 
	CONSTRAINT pk_workers PRIMARY KEY (id)
);
INSERT INTO "workers" VALUES('wrk_earlier','gpu-1','{"boot_id": "boot", "pid_namespace": "pid:[4026531836]", "pid": 7, "started_ticks": 99}','[{"index": 0, "name": "NVIDIA H100", "memory_bytes": 85520809984}]','{"zone": "a"}',8,'1.0.0','gone','over','2026-11-26 14:40:08.758909','2026-11-26 14:40:08.758909','2026-11-26 14:40:08.758909');
INSERT INTO "workers" VALUES('wrk_before','gpu-1','{"boot_id": "boot", "pid_namespace": "pid:[4026531836]", "pid": 7, "started_ticks": 99}','[{"index": 0, "name": "NVIDIA H100", "memory_bytes": 85520809984}]','{"zone": "a"}',8,'1.0.0','active',NULL,'2026-11-26 14:40:08.769709','2026-11-26 14:40:09.416067','2026-11-26 14:40:08.769709');
CREATE INDEX ix_checkpoints_of_variant_name ON checkpoints (variant, state, created_at, id);
CREATE INDEX ix_checkpoints_parent_checkpoint ON checkpoints (parent_checkpoint);
CREATE INDEX ix_checkpoints_created_at ON checkpoints (created_at, id);
CREATE INDEX ix_checkpoints_recipe_created_at ON checkpoints (recipe, created_at, id);
CREATE INDEX ix_checkpoints_step ON checkpoints (step, id);
CREATE INDEX ix_checkpoints_recipe_step ON checkpoints (recipe, step, id);
CREATE INDEX ix_checkpoints_loss ON checkpoints (loss, id);
CREATE INDEX ix_checkpoints_recipe_loss ON checkpoints (recipe, loss, id);
CREATE INDEX ix_checkpoints_top1_error ON checkpoints (top1_error, id);
CREATE INDEX ix_checkpoints_recipe_top1_error ON checkpoints (recipe, top1_error, id);
CREATE INDEX ix_checkpoints_top5_error ON checkpoints (top5_error, id);
CREATE INDEX ix_checkpoints_recipe_top5_error ON checkpoints (recipe, top5_error, id);
CREATE INDEX ix_checkpoint_tags_checkpoint_id ON checkpoint_tags (checkpoint_id);
CREATE INDEX ix_checkpoints_newest ON checkpoints (state, created_at, id);
CREATE INDEX ix_checkpoints_of_job ON checkpoints (job_id, state, step, is_final, attempt);
CREATE INDEX ix_checkpoints_of_recipe ON checkpoints (recipe, state, created_at, id);
CREATE INDEX ix_checkpoints_of_variant ON checkpoints (recipe, variant, state, created_at, id);
CREATE INDEX ix_events_job_id_number ON events (job_id, number);
CREATE INDEX ix_workers_state_id ON workers (state, id);
CREATE INDEX ix_attempts_live ON attempts (worker_id) WHERE state IN ('claimed', 'running', 'unreachable');
CREATE INDEX ix_jobs_state_id ON jobs (state, id);
CREATE INDEX ix_jobs_recipe_id ON jobs (recipe, id);
CREATE INDEX ix_jobs_source_checkpoint ON jobs (source_checkpoint);
CREATE INDEX ix_jobs_queue ON jobs (rank, id) WHERE state = 'queued';
CREATE INDEX ix_jobs_lanes ON jobs (needs, gpus, rank, id) WHERE state = 'queued';
COMMIT;
