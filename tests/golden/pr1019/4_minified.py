import faulthandler,hashlib as K,io,lzma,numpy as L,os as h,signal,subprocess,sys as d,time as l,torch as e,torch.distributed as n,torch.nn.functional as c,traceback
from functools import partial as u
from pathlib import Path as t
from sentencepiece import SentencePieceProcessor
from torch import nn as M
from typing import NamedTuple as a
def el(a,t):
 if not a.l:return t,
 n=range(a.shape[0]//len(a.l));return tuple(e.format(i)for e in a.l for i in n)
def y(r):
 l=[]
 for a in r:
  if a.l:
   n=range(a.shape[0]//len(a.l))
   for(e,d)in zip(a.l,a.init,strict=True):l+=[(e.format(i),d,a)for i in n]
  else:l+=[(t,a.init,a)for t in a.s()]
 return l
def ed(d,r,o):
 for a in r:
  c=o if a.dtype=='activation'else e.float32
  for t in a.s():
   *l,s=t.split('.');h=d
   for n in l:
    if n not in h._modules:h.add_module(n,M.ModuleList())
    h=h._modules[n]
   h.register_parameter(s,M.Parameter(e.empty(a.shape,dtype=c,device=i)))
def ec(t):n=K.sha256(f"{U}:{t}".encode()).digest();return e.Generator().manual_seed(int.from_bytes(n[:7],'little'))
def eu(r,h):
 o=b(g.state_dict(),r)
 for(t,d,p)in y(r):n=e.empty(o[t].shape);d(n,ec(t),h);o[t].copy_(n)
def b(o,r):
 s=[]
 for a in r:
  for t in a.s():s+=o[t].unbind()if a.l else[o[t]]
 return{t:i for((t,p,p),i)in zip(y(r),s,strict=True)}
def v(tensor,generator,ledger):tensor.zero_()
def k(tensor,generator,ledger):tensor.fill_(1.)
def x(tensor,generator,ledger,value):tensor.fill_(value)
def em(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
def ef():
 t=h.environ.get;r=int(t('RANK',0));a=int(t('WORLD_SIZE',1));l=int(t('LOCAL_RANK',0))
 if a<1 or 8%a:raise ValueError(f"WORLD_SIZE is {a}, wanted a divisor of 8, the micro-batches of a step")
 return r,a,l
def ep():
 global i,oK,m,o;r,a,l=ef();t='gloo';h=e.device('cpu')
 if e.cuda.is_available():t='nccl';h=e.device('cuda',l);e.cuda.set_device(h)
 if a>1:n.init_process_group(t)
 m=r;o=a;oK=l;i=h
def eg():
 if o>1:n.destroy_process_group()
def ew(i):
 if o>1:n.all_reduce(i)
 return i
def ey(value):
 t=[value]*o
 if o>1:n.all_gather_object(t,value)
 return t
def eb(value):
 if o==1:return value
 t=e.tensor(value,dtype=float,device=i);n.all_reduce(t,n.ReduceOp.MAX);return t.item()
def ev(i):
 if i.grad is None:i.grad=e.zeros_like(i)
 return i.grad
def ek(s):
 t=[ev(i)for i in s]
 if o>1:
  d=e.cat([r.flatten()for r in t]);n.all_reduce(d);a=(d/o).split([r.numel()for r in t])
  for(r,l)in zip(t,a,strict=True):r.copy_(l.view_as(r))
def ex(t,l):
 if o>1:return n.reduce_scatter(t,list(l.chunk(o)),async_op=True)
 t.copy_(l)
def ej(l,t):
 if o>1:return n.all_gather(list(l.chunk(o)),t,async_op=True)
 l.copy_(t)
def eq(e):
 if e is not None:e.wait()
def ez():
 t=''
 try:od()
 except(OSError,ValueError)as a:t=f"{ea}: {a}"
 for(r,n)in enumerate(ey(t)):
  if n:raise ValueError(f"{n} (on rank {r})"if r else n)
def eA(n):
 if n is not None:s(f"prepared {ea}: {n}")
class Param(a):
 name:a;shape:a;group:a;j:a;init:a=None;x:a='';dtype:a='float32';layers:a=0;l:a=();reduction:a='replicated';z:a='';u:a=True;F:a=True;export:a='yes'
 def s(e):return[e.name.format(i)for i in range(e.layers)]or[e.name]
class Group(a):name:a;lr:a;weight_decay:a=.0
class j:
 def __init__(e):e.done={}
 def count(e,plugin,unit,number=1):e.done[plugin,unit]=e.done.get((plugin,unit),0)+number
 def i(e,r,n):e.done[r,'']=n
 def q(e,r):return', '.join(f"{n} {a}".strip()for((t,a),n)in e.done.items()if t==r and n)
def eB(r,n,t):return(r/q(n)).round().clamp(-t,t).to(e.int8)
def q(n):return n[:,None]if n.ndim else n
def eC(a,n,i):return(a.float()*q(n).float()).to(i)
def eD(r):
 if r.ndim==2:n=(r.abs().amax(1)/31).clamp_min(1/31)
 else:n=r.abs().amax()/31;n=n if n>0 else n+1
 n=n.half();return eB(r,n.float(),31),n
def eE(r):
 if r.ndim==2:t=e.quantile(r.abs(),.9999984,1);n=(t/127).clamp_min(1/127);a=n.half()
 else:t=e.quantile(r.abs().flatten(),.9999984);a=n=t/127 if t>0 else t+1
 t=q(t);return eB(r.clamp(-t,t),n,127),a
def eF(a,i):
 if'kept'in a:return a['kept'].to(i)
 return eC(a['codes'],a['step'],i)
def z(t,a):
 n=h.environ.get(t,a)
 try:return int(n)
 except ValueError:raise ValueError(f"{t} is {n!r}, wanted a whole number like {a!r}")from None
def eG():
 n=h.environ.get('MAX_WALLCLOCK_SECONDS',6e2)
 try:return float(n)
 except ValueError:raise ValueError(f"MAX_WALLCLOCK_SECONDS is {n!r}, wanted seconds like 600.0")from None
def eH():global Q,R,f,S,ob,T,U,V,ov,ok;t=h.environ.get;Q=t('DATA_PATH','./data/datasets/fineweb10B_sp1024');R='export'in d.argv;f=z('ITERATIONS',20000);S=eG();ob=t('RUN_ID',str(l.time_ns()));T='score'in d.argv;U=z('SEED',1337);V=t('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');ov=z('TRAIN_LOG_EVERY',200);ok=z('VAL_LOSS_EVERY',1000)
class Score(a):val_loss:a;r:a;A:a;p:a
def eI(o):
 if o.numel():raise ValueError(f"target {o[0]} of the validation stream is not scored")
def eJ(o):r=w[o].to(i,int);n=r[:,:-1].contiguous();return n,r[:,1:].contiguous(),eK(n)
def eK(r):return{}
def eL(t,u,o,h):
 c=o[:,1:];t[c[h]]=u;n,r,d=eJ(o)
 with e.set_grad_enabled(False):g=oq(n,r,phases=tG(),fields=d,reduction='none',adapter=None)
 p=aI(n,r,c.to(i));s=h.to(i);a=g.detach().double()*s,s,p*s;return g,e.stack([l.sum().double()for l in a])
def eM(t,a):
 if o>1:t=t.to(i);n.all_reduce(t,a)
 return t.cpu()
def eN(t,r,d):
 eI(1+(t[1:]==0).nonzero().flatten());e,n,a=ew(r).tolist()
 if n>len(t)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(e/n,e/.6931471805599453/a,int(n),1e3*(l.perf_counter()-d))
def eO(scored_at):
 if m==0:l=f"logs/{ob}.scores.npz";L.savez_compressed(l,scored_at=scored_at.numpy())
class Span(a):start:a;end:a;B:a
def eP(t):return[Span(n,n+2048,0)for n in range(0,(t-1)//2048*2048,2048)]
def eQ(t):return t[len(t)*m//o:len(t)*(m+1)//o]
def eR(a):
 o=e.zeros(ei,2049,dtype=int);h=e.zeros(ei,2048,dtype=bool)
 for(i,(n,t,r))in enumerate(a):o[i,:t+1-n]=e.arange(n,t+1);h[i,r:t-n]=True
 return o,h
def A(a):
 d=l.perf_counter();g.eval();a=eQ(a);t=e.zeros(len(w),dtype=e.int32);r=e.zeros(3,dtype=float,device=i)
 for(c,u)in enumerate(range(0,len(a),ei),1):
  o,h=eR(a[u:u+ei]);r+=eL(t,c,o,h)[1]
  if c%100==0:s(f"eval: batch {c}")
 g.train();t=eM(t,n.ReduceOp.MAX);return eN(t,r,d),t
def eS():return{t:a.j for(t,p,a)in y(ee)if a.export!='drop'}
def eT(o,d,s=0):
 r=eS();n={}
 for(t,e)in r.items():i=o[t];c=d.get(t,{});a=P[e].encode(t,i,c,p);n[t]={h:l.cpu()for(h,l)in a.items()}
 return eU(n)
def eU(n):return n
def eV(n):return az(aD(n))
def eW(data,o):
 t=2**20+sum(8*i.numel()+4096 for i in o.values())
 try:return aE(aA(data,t))
 except Exception as a:raise ValueError(f"the artifact cannot be read: {a}")from a
def eX(t,a,e,i):return P[e].decode(t,a,i)
def eY(n,o):
 r=eS()
 if n.keys()!=r.keys():raise ValueError("the artifact's tensors are not the model's")
 for(t,e)in r.items():
  try:i=eZ(t,n[t],e,o[t].dtype)
  except Exception as a:raise ValueError(f"the artifact's {t} cannot be decoded: {a!r}")from a
  if i.shape!=o[t].shape:raise ValueError(f"{t}: shape {[*i.shape]}, wanted {[*o[t].shape]}")
  o[t].copy_(i)
def eZ(t,a,e,i):return eX(t,a,e,i)
def te(i):
 global W,X,ox;ox=m;W=m==0;t('logs').mkdir(exist_ok=True);X=t('logs',i+'.txt')
 if W and not R:X.write_text('')
 d.excepthook=u(ta,X);faulthandler.register(signal.SIGTERM,X.open('a'),chain=True)
def s(t):
 if W:
  print(t,flush=True)
  with X.open('a')as e:print(t,file=e)
def tt(n):
 if W:s(f"error: {n}")
 elif n not in X.read_text():
  with X.open('a')as e:print(f"rank {ox}: error: {n}",file=e)
def ta(path,kind,error,trace):
 with path.open('a')as e:traceback.print_exception(error,file=e)
 d.__excepthook__(kind,error,trace)
def to():
 n=K.sha256(t(d.argv[0]).read_bytes()).hexdigest();a=f"hardware:{h.uname().machine} CPU, {e.get_num_threads()} threads"
 if i.type=='cuda':a=subprocess.getoutput('nvidia-smi')
 s(f"Running Python {d.version}\nRunning PyTorch {e.__version__}\ncode_sha256:{n}\n{a}")
def B():return len(t(d.argv[0]).read_bytes())
oc='final_model.pt'
def C():return P['mlp'].name
def ti():return t(f"final_model.{C()}.ptz")
def tn(n):
 o=b(g.state_dict(),ee)
 if m==0:t('final_export.pt').unlink(missing_ok=True);D(u(e.save,o),'final_model.pt')
 d=tl()
 if m==0:l=d,p.done,et,eo,Z;D(u(e.save,l),'final_export.pt')
 ts(o,d)
def ts(o,d):
 a=tH();r('diagnostic','val');s(f"diagnostic pre-quantization post-ema val_loss:{a.val_loss:.8f} val_bpb:{a.r:.8f} eval_time:{a.p:.0f}ms")
 if m==0:td(o,d)
 eb(.0);tu()
def D(n,l):
 a=t('final_model.tmp')
 try:
  n(a)
  with a.open('rb')as e:h.fsync(e.fileno())
  a.replace(l)
 finally:a.unlink(missing_ok=True)
def tr():
 global Z,eo,et;o=b(g.state_dict(),ee);n=th('final_model.pt');l=th('final_export.pt');a=[t for t in o if t not in n or n[t].shape!=o[t].shape]
 if a:raise ValueError(f"final_model.pt is of another model: {a[0]} is missing or has another shape")
 for(t,i)in o.items():i.copy_(n[t])
 d,e,et,eo,Z=l;p.done.update(e);tD(Z);ts(o,d)
def th(l):
 try:return e.load(l,i,weights_only=True)
 except OSError:raise
 except Exception as a:raise ValueError(f"{l} is damaged: {str(a)[:99]!r}")from a
def tl():global Y;d={};Y=False;return d
def td(o,d):n=eT(o,d,B());r('quantize','none');h=eV(n);r('compress','none');D(u(t.write_bytes,data=h),ti());e=f"{C()}+lzma";s(f"Serialized model: {t(oc).stat().st_size} bytes\nCode size: {B()} bytes\nSerialized model {e}: {len(h)} bytes\nTotal submission size {e}: {len(h)+B()} bytes")
def tc():
 o=b(g.state_dict(),ee)
 for i in o.values():i.zero_()
 h=ti().read_bytes();n=K.sha256(h).hexdigest()
 if T:
  a=''.join(l.read_text()for l in t('logs').glob('*.txt'))
  if'artifact_sha256:'in a and n not in a:raise ValueError('the artifact is not that of the logs in logs/')
 s('artifact_sha256:'+n);eY(eW(h,o),o)
def tu():n=C();tc();r('decode','none');a,t=A(eP(len(w)));r('score','val');tm(f"{n}_lzma_roundtrip",a);a,t=A(aM(len(w)));r('score','val');tm(f"{n}_sliding_window",a);eO(t);p.count('sliding_eval','targets',a.A)
def tm(e,a):s(f"final_{e} val_loss:{a.val_loss:.4f} val_bpb:{a.r:.4f} eval_time:{a.p:.0f}ms\nfinal_{e}_exact val_loss:{a.val_loss:.8f} val_bpb:{a.r:.8f}")
def tf():
 a=[];n=False
 for t in og:
  e=p.q(t)
  if e and t not in a:s(f"receipt {t}: {e}")
  else:s(f"error: plugin {t} did nothing");n=m==0
 return n
class tp:
 def __init__(e):c=[(g.get_parameter(t),el(a,t),a)for a in ee for t in a.s()];e.tensors=[i for(i,n,a)in c];e.names=[n for(i,n,a)in c];e.replicated=[i for(i,n,a)in c if a.reduction=='replicated'];e.c=[i for(i,n,a)in c if a.u];e.b=[n for(i,n,a)in c if a.u];l=[i for(i,n,a)in c if a.group=='matrix'];h=[n for(i,n,a)in c if a.group=='matrix'];aY(l,h);r=[(o,[i for(i,n,a)in c if a.group==o.name],[n for(i,n,a)in c if a.group==o.name])for o in op];aN(r)
 @e.no_grad()
 def step(e,scalars,ledger):
  for o in of:o(e.tensors,e.names,ledger)
  aZ();ek(e.replicated);aO(scalars,ledger);oe(scalars,ledger)
  for i in e.tensors:i.grad=None
def tg(t):
 if e.cuda.is_available():return e.compile(t,dynamic=False,fullgraph=True)
 return t
def tw():return{}
def ty(a,n):return aX(a).contiguous()
def tb(r,i,d):i.mul_(d).add_(r);return r.add(i,alpha=d)
def tv(t):return max(1,t.shape[-2]/t.shape[-1])**.5
class Progress(a):step:a;v:a;f:a;m:a;C:a;o:a
class Scalars(a):o:a;y:a;momentum:a
def tk(n,t,i):e=t/i if i>0 else n/max(f,1);return Progress(n,f,t,i,e,1.)
class Context(a):
 ids:a;phases:a;training:a;n:a;memo:a;fields:a;d:a;g:a;ledger:a
 def t(e,r,a,n=1):
  if e.ledger is not None:e.ledger.count(r,a,n)
def E(n):return c.rms_norm(n,(n.size(-1),),eps=1.1920929e-07)
def tx(n):return c.pad(n[:,:-1],(0,0)*(n.dim()-2)+(1,0))
def tj(r):return r
def tq(r,n,o,i,a,t):
 r=tj(r)
 if t.g is not None:t.g(o,i,n)
 return F(c.linear(n,r.to(n.dtype)),n,o,a,t)
def F(r,n,e,a,t):
 if t.d is not None and e in t.d.sites:r=r+t.d.delta(n,e,a)
 return r
def tz(n,t):
 if'rope'not in t.memo:i=n.size(1);a=n.size(3);h=n.device;r=1e4**(-e.arange(0,a,2,dtype=e.float32,device=h)/a);l=e.outer(e.arange(i,dtype=e.float32,device=h),r);t.memo['rope']=l.cos(),l.sin()
 c,s=(u[None,:,None,:].to(n.dtype)for u in t.memo['rope']);o,d=n.chunk(2,-1);return e.cat((o*c+d*s,d*c-o*s),-1)
class GPT(M.Module):
 def __init__(e,r,o):super().__init__();e.records=r;ed(e,r,o)
 def matrices(e):return b(dict(e.named_parameters()),e.records)
 def matrix(e,role,layer,position,ctx):return tj(ctx.n[f"blocks.{layer}.{role}.weight"])
 def h(e,n,o,i,a,t):return tq(t.n[f"blocks.{i}.{o}.weight"],n,o,i,a,t)
 def stem(e,ids,ctx):n=c.embedding(ids,ctx.n['tok_emb.weight']);n=n+tW(ids,ctx);n=E(n);return av(n,ctx)
 def forward(e,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):a=fields or{};o={};fields={**o,**a};t=Context(ids,phases,e.training,e.matrices(),{},fields,adapter,observe,ledger);n=e.stem(ids,t);n=E(ab(e,n,n,t));l=ak(n,t);return an(l,targets,reduction,t)
def tA(a):
 a=t(a);n=sorted(l for l in a.parent.glob(a.name)if('_bytes_'in l.name)==('_bytes_'in a.name))
 if not n:raise ValueError(f"{a}: no shard matches, see DATA_PATH")
 return n
def tB(l):
 a=t(l).stat().st_size;n=L.fromfile(l,'<i4',3).tolist()
 if a<=1024 or n!=[20240520,1,(a-1024)/2]:raise ValueError(f"{l}: {a} bytes and header {n}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return n[2]
def G(l):
 n=L.memmap(l,'<u2','r',1024,tB(l))
 if n.max()>=1024:raise ValueError(f"{l}: token {n.argmax()} is {n.max()}, wanted an id below 1024")
 return n
def tC(a):
 n=L.concatenate([G(l)for l in tA(a)])
 if len(n)<=2048:raise ValueError(f"{a}: {len(n)} tokens, wanted at least 2049")
 return e.from_numpy(n[:(len(n)-1)//2048*2048+1])
def tD(t):global oj;oj=l.perf_counter()-t/1e3
def r(t,data):global Z;a=1e3*(l.perf_counter()-oj);s(f"stage:{t} begin:{Z:.0f}ms end:{a:.0f}ms data:{data}");Z=a
def tE(r,h):global Z,eo,oq,p,g,ee,et,ea,ei,oj,w,Y;ee=r;p=h;et=();ea='';Z=.0;oj=l.perf_counter();eo=False;Y=not(T or R);ei=max(32,1);o=e.bfloat16 if i.type=='cuda'else e.float32;e._dynamo.config.recompile_limit=16;g=GPT(r,o);eu(r,h);oq=tg(g);a=t(Q,'fineweb_val_*.bin');w=tC(a);aH(h);n=K.sha256(w.numpy().data).hexdigest();s(f"val_loader:shards pattern={a} tokens:{len(w)-1}\nval_sha256:{n}")
def H(h):a=t(Q,'fineweb_train_*.bin');aJ(a,h)
def tF():
 if not Y:raise ValueError('training data are closed: training time is over')
 c=aL();n,r=(l.to(i,non_blocking=True)for l in c);return n,r,{}
def tG():return tuple(o.name for o in()if o.scoring and o.name in et)
def tH():return A(eP(len(w)))[0]
def tI():return[()]
def tJ():
 n,r,d=tF();n,r=n[:1,:512],r[:1,:512];d={t:l[:1,:512]for(t,l)in d.items()};e=tuple(o.name for o in());g(n,r,phases=e,fields=d,ledger=p).backward()
 for a in ee:i=sum(g.get_parameter(t).grad is not None for t in a.s());p.count(a.x,'trained tensors',i)
 g.zero_grad()
def tK():
 o=g.state_dict();a={t:i.clone()for(t,i)in o.items()};c=tp();r=j();H(r)
 for l in tI():
  for n in range(20):tP(c,l,Scalars(1.,1.,.9),r);s(' '.join((f"warmup_step:{n+1}/20",*l)))
 for(t,i)in o.items():i.copy_(a[t])
 e.manual_seed(U);H(p)
def tL(r):
 try:eH();ep();h=j()
 except ValueError as a:print(f"error: {a}",file=d.stderr);d.exit(2)
 i=ey(ob)[0];te(i);e.manual_seed(U);e.backends.cuda.matmul.allow_tf32=True
 if S==0:tN()
 to();s('plugins:'+' '.join(og));tM(r,h)
 if Y:
  tO();tJ();tK();n=tS()
  try:tn(n)
  except(OSError,ValueError)as a:tt(str(a));d.exit(f"error: rank {m}: {a}")
 t=not T and(tf()or eo);eg()
 if t:d.exit(1)
def tM(r,h):
 global et
 try:
  tE(r,h);ez()
  if R:tr()
  elif T:et=tuple(o.name for o in());tu()
  else:H(j())
  return
 except(OSError,ValueError)as a:
  tt(str(a))
  if not R:eg()
  d.exit(2)
def tN():h.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');e.use_deterministic_algorithms(True)
def tO():s(f"model_params:{sum(i.numel()for i in g.parameters())}\nworld_size:{o} grad_accum_steps:{8//o}\nseed:{U}\ntrain_batch_tokens:786432 train_seq_len:2048 iterations:{f} warmup_steps:20 max_wallclock_seconds:{S:.3f}")
def tP(c,i,l,h):
 t=8//o;a=.0
 for p in range(t):n,r,d=tF();u=oq(n,r,phases=i,fields=d)/t;a+=u.detach();u.backward()
 c.step(l,h);return a
def tQ(n,t,i):
 a=tk(n,t,i);l=Scalars(1.,1.,.0)
 for e in ow:l=e(a,l,p)
 return l
def tR():return 1e3*S
def tS():
 c=tp();aP(c.c,c.b);i=tR();n=0;t=.0;oa()
 while True:
  d=n==f or 0<i<=t
  if d or ok>0 and n%ok==0:
   oo();a=tH();tT(n,f"val_loss:{a.val_loss:.4f} val_bpb:{a.r:.4f}",t)
   if d:break
   oa()
  l=tQ(n,t,i);u=tP(c,et,l,p);n+=1;aQ(c.c,n,l);t=eb(oi(n))
  if ov>0 and(n<=10 or n%ov==0):
   tT(n,f"train_loss:{u:.4f}",t)
   if u!=u:raise ValueError('the training loss is not a number')
 if n<f:s(f"stopping_early: wallclock_cap train_time:{t:.0f}ms step:{n}/{f}")
 o=e.cuda.max_memory_allocated()>>20;h=e.cuda.max_memory_reserved()>>20;s(f"peak memory allocated: {o} MiB reserved: {h} MiB");aR(c.c);tD(t);r('train','train');return n
def tT(n,a,t):s(f"step:{n}/{f} {a} train_time:{t:.0f}ms step_avg:{t/max(n,1):.2f}ms")
def tU(n,a,o,t):t.t('additive_skips','skips');return n+t.n['skip_weights'][o].to(n.dtype)*a
def tV(a):t=e.bitwise_xor(36313*a[:,1:],27191*a[:,:-1])%3071;return c.pad(t,(1,0),value=3071)
def tW(a,t):t.t('bigram_hash','lookups');h=c.embedding(tV(a),t.n['bigram.embed.weight']);n=c.linear(h,t.n['bigram.proj.weight'].to(h.dtype));return n*t.n['bigram.scale'].to(h.dtype)
def tX(n,o,i,a,t):l=n.h(o,'attn.c_q',i,a,t);h=n.h(o,'attn.c_k',i,a,t);d=n.h(o,'attn.c_v',i,a,t);d=aj(d,i,t);l=al(E(e.unflatten(l,2,(8,-1))),t);h=al(E(e.unflatten(h,2,(4,-1))),t);d=e.unflatten(d,2,(4,-1));l,h=ad(l,h,i,t);r=ai(l,h,d,t);r=aq(r,d,i,t);r=n.h(r.flatten(2),'attn.proj',i,a,t);return F(r,o,'attn',a,t)
def tY(n,a,o):l=n.transpose(1,2);h=a.transpose(1,2);d=o.transpose(1,2);r=l.size(1)!=h.size(1);return c.scaled_dot_product_attention(l,h,d,is_causal=True,enable_gqa=r).transpose(1,2)
def tZ():
 if i.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as t;return'flash-attn 3',t
 except ImportError:
  try:from flash_attn import flash_attn_func as t;return'flash-attn 2',t
  except ImportError:return aa(),None
def ae(t,n,a,o):r=t(n,a,o,causal=True,window_size=(-1,0));return r[0]if isinstance(r,tuple)else r
def at(t,n,a,o):
 if t is not None:return ae(t,n,a,o)
 return tY(n,a,o)
def aa():t=e.are_deterministic_algorithms_enabled();e.backends.cuda.enable_cudnn_sdp(not t);e.backends.cuda.enable_flash_sdp(t);e.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if t else'cuDNN'
def ao():global om;t,om=tZ();return t
def ai(l,h,d,t):t.t('causal_attention','layers');return at(om,l,h,d)
def an(a,n,reduction,t):t.t('cross_entropy','losses');u=c.cross_entropy(a.flatten(0,1).float(),n.flatten(),reduction=reduction);return u.view_as(n)if reduction=='none'else u
def ar(n,o,i,a,t):t.t('leaky_relu2','layers');e=c.leaky_relu(n.h(o,'mlp.fc',i,a,t),.5).square();return n.h(e,'mlp.proj',i,a,t)
def ah(o,i,t):t.t('ln_scale','branches');a=(i+1)**-.5;return o*a
def I(tensor,generator,ledger):
 if min(tensor.shape)>=64:M.init.orthogonal_(tensor,generator=generator);ledger.count('ortho_init','orthogonal matrices')
 else:t=tensor.shape[-1]**-.5;tensor.uniform_(-t,t,generator=generator)
def al(n,t):t.t('partial_rope','rotations');a=tz(n[...,:16],t);return e.cat((a,n[...,16:]),-1)
def ad(n,a,i,t):t.t('qk_gain','layers');e=t.n[f"blocks.{i}.attn.q_gain"].to(n.dtype);return n*e[:,None],a
def ac(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def au(n,r,i,t):a=t.n[f"blocks.{i}.resid_mix"].to(n.dtype);return a[0]*n+a[1]*r
def am(n,i,t):a=E(n);return ah(a,i,t)
def af(n,o,i,a,t):e=tX(n,o,i,a,t);return t.n[f"blocks.{i}.attn_scale"].to(o.dtype)*e
def ap(n,o,i,a,t):e=F(ar(n,o,i,a,t),o,'mlp',a,t);return t.n[f"blocks.{i}.mlp_scale"].to(o.dtype)*e
def ag(n,e,r,i,a,t):o=au(e[0],r,i,t);o=o+af(n,am(o,i,t),i,a,t);return o+ap(n,am(o,i,t),i,a,t),
def aw(e,a,o,i,t):
 if a is None:return e
 return tU(e[0],a,o,t),*e[1:]
def ay(n,e,r,t):
 h,d=ax();t.t('unet_plan','steps over 11 layers',len(h)+len(d));l=[]
 for(a,i)in enumerate(h):e=ag(n,e,r,i,a,t);l.append(e[0])
 for(o,i)in enumerate(d):e=aw(e,l.pop()if l else None,o,i,t);e=ag(n,e,r,i,len(h)+o,t)
 return e
def ab(n,a,e,t):t.t('sequential_wiring','walks');return ay(n,(a,),e,t)[0]
def av(a,t):t.t('smear_gate','blends');n=e.sigmoid(t.n['smear.gate']).to(a.dtype);return(1-n)*a+n*tx(a)
def ak(a,t):t.t('tied_head','heads');n=tq(t.n['tok_emb.weight'],a,'head',0,0,t);return 3e1*e.tanh(n/3e1)
def ax():n=tuple(range(11));return n[:len(n)//2],n[len(n)//2:]
def aj(n,i,t):
 if i not in(9,10):return n
 t.t('value_embedding','layers')
 if've'not in t.memo:h=c.embedding(t.ids,t.n['ve_shared.embed.weight']);h=c.linear(h,t.n['ve_shared.proj.weight'].to(h.dtype));t.memo['ve']=h*t.n['ve_shared.scale'].to(h.dtype)
 a=t.n[f"ve_layer_scales.{oy.index(i)}"];e=t.memo['ve'];return n+a.to(n.dtype)*e
def aq(a,o,i,t):
 if i<0:return a
 t.t('xsa','layers');r=e.unflatten(a,2,(o.size(2),-1));n=c.normalize(o,dim=-1)[:,:,:,None,:];return(r-(r*n).sum(-1,keepdim=True)*n).flatten(2,3)
def az(data):d=lzma.compress(data,preset=9);p.i('lzma',f"{len(data)} -> {len(d)} bytes");return d
def aA(data,t):
 d=lzma.LZMADecompressor(memlimit=2**27);a=d.decompress(data,t)
 if not d.eof or d.unused_data:raise ValueError(f"wanted one whole stream of at most {t} bytes")
 return a
def aB(n):i=io.BytesIO();o={d.intern(t):{d.intern(h):l for(h,l)in a.items()}for(t,a)in n.items()};e.save(o,i);return i.getvalue()
def aC(data):return e.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def aD(n):h=aB(n);p.i('torch_save',f"{len(n)} tensors in {len(h)} bytes");return h
def aE(data):return aC(data)
def aF():
 try:t=SentencePieceProcessor(V)
 except(OSError,RuntimeError)as a:raise OSError(f"{V}: not a SentencePiece model")from a
 if len(t)>1024:raise ValueError(f"{V} has {len(t)} pieces, wanted at most vocab_size=1024")
 if t.piece_to_id('\u2581')==t.unk_id():raise ValueError(f"{V}: U+2581 is not a piece of its own")
 return t
def aG(t):
 h=[(0,0,1)]*1024
 for a in range(len(t)):
  if not(t.is_control(a)or t.is_unknown(a)or t.is_unused(a)):n=t.id_to_piece(a);i=n.startswith('\u2581');h[a]=1 if t.is_byte(a)else len(n.encode())-3*i,i,0
 return e.tensor(h).T
def aH(h):
 global oJ,oI,oz,oH
 if any(t(Q).glob('*_bytes_*')):raise ValueError(f"{Q}: it has byte side files, build with the plugin that reads them")
 a=aG(aF());oH,oI,oJ=a.to(i);oz=h
def aI(a,t,n):oz.count('sentencepiece_bytes','targets',t.numel());return oH[t]+(oI[t]&~oJ[a])
def aJ(a,h):
 global en,oC,oA,es,oB;en=tA(a)
 for l in en:tB(l)
 oA=m;oB=o;oC=h;es=G(en[0])
def aK(t):
 global es;a=[]
 while t>0:
  if not len(es):en.append(en.pop(0));es=G(en[0])
  a.append(es[:t]);es=es[t:];t-=len(a[-1])
 return L.concatenate(a)
def aL():t=aK(oB*98305).reshape(oB,-1)[oA];t=e.from_numpy(t.astype(int));oC.count('sequential_loader','batches');return t[:-1].reshape(-1,2048),t[1:].reshape(-1,2048)
def aM(t):a=min(64,2048);c=t-1;n=range(0,max(c-(2048-a),1),a);return[Span(u,min(u+2048,c),0 if u==0 else 2048-a)for u in n]
def aN(r):global oD;l=[{'params':s,'spec':o}for(o,s,n)in r];oD=e.optim.AdamW(l,betas=(.9,.95),eps=1e-08,fused=True)
def aO(l,h):
 for i in oD.param_groups:i['lr']=i['spec'].lr*l.o;i['weight_decay']=i['spec'].weight_decay*l.y
 oD.step();h.count('adam','steps')
@e.no_grad()
def aP(s,n):global er,oE;oE=0;er=[i.detach().float().clone()for i in s]
@e.no_grad()
def aQ(s,o,l):global oE;oE+=1;e._foreach_mul_(er,.997);e._foreach_add_(er,[i.detach().float()for i in s],alpha=1-.997)
@e.no_grad()
def aR(s):
 for(i,t)in zip(s,er,strict=True):i.copy_(t)
 p.count('ema','updates',oE)
def aS(tensors,names,ledger,max_norm):M.utils.clip_grad_norm_(tensors,max_norm);ledger.count('grad_clip','steps')
def aT(progress,scalars,ledger,start,final,steps):t=min(progress.step/steps,1.)if steps>0 else 1.;d=(1-t)*start+t*final;ledger.i('momentum_warmup',f"momentum {d:.4f} at step {progress.step}");return scalars._replace(momentum=d)
def aU(tensor,update,names,lr,scalars,ledger,weight_decay):tensor.mul_(1-lr*weight_decay*scalars.y);ledger.count('muon_weight_decay','tensors decayed')
def aV(n,o,e):
 a=n.shape[-2]>n.shape[-1]
 if a:n=n.mT
 n=n/(n.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for p in range(o):t=n@n.mT;i=2.0315*t@t if e else 2.0315*(t@t);n=3.4445*n+(-4.775*t+i)@n
 return n.mT if a else n
def aW(update,steps,scale_first):return aV(update.bfloat16(),steps,scale_first)
def aX(a):
 global O
 if O is None:O=tg(aW)
 return O(a,5,False)
class MuonBank(a):weight:a;names:a;k:a;full:a;w:a;momentum:a;ee:a
def aY(s,n):
 global eh,oL;oL=tw();eh=[];w=e.bfloat16 if i.type=='cuda'else e.float32
 for(r,u)in sorted(zip(s,n,strict=True),key=lambda pair:-pair[0].numel()):*p,h,X=r.shape;g=-(-len(u)//o);c=(*u,*['']*g*o)[g*m:][:g];I=[(a,h,X)for a in(g*o,g)];l,t=[e.zeros(f,dtype=w,device=i)for f in I];ee,d=[e.zeros(f,dtype=e.bfloat16,device=i)for f in I];eh.append(MuonBank(r,u,c,l,t,d,ee))
def aZ():
 global oF;oF=[]
 for t in eh:r=ev(t.weight).bfloat16();t.full.flatten()[:r.numel()].copy_(r.flatten());oF.append(ex(t.w,t.full))
def oe(l,h):
 n=[]
 for(t,e)in zip(eh,oF,strict=True):
  eq(e);d=o;r=(t.w/d).bfloat16();a=tb(r,t.momentum,l.momentum);a=ty(a,t.k);n.append((t,ej(t.ee,a),a))
  if len(n)>1:ot(*n.pop(0),l,h)
 for i in n:ot(*i,l,h)
def ot(t,e,a,l,h):
 eq(e);r,d=t.weight,.025*l.o;n=t.ee.flatten()[:r.numel()].view_as(r)
 for o in ou:o(r,n,t.names,d,l,h)
 r.add_(n,alpha=-d*tv(r));h.count('parallel_muon','bank updates');h.count('newton_schulz','matrices',t.ee.size(0))
def oa():global oG;oG=l.perf_counter()-N
def oo():
 global N
 if e.cuda.is_available():e.cuda.synchronize()
 N=l.perf_counter()-oG;p.i('wall_clock',f"{N:.3f} seconds")
def oi(n):return 1e3*(l.perf_counter()-oG)
def on(a,length):
 if length<=0:return 1.
 if a.m>0:t=length*(a.f/max(a.step,1));return min(max(a.m-a.f,.0)/max(t,1e-09),1.)
 n=a.v-a.step;return n/length if 0<n<=length else 1.
def os(progress,scalars,ledger,length):t=on(progress,length);ledger.i('warmdown_iters',f"multiplier {t:.4f} at step {progress.step}");return scalars._replace(o=scalars.o*t)
class oh:
 name='int6'
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int6','tensors kept');return{'kept':tensor.half()}
  ledger.count('int6','tensors quantized');a,n=eD(tensor.float());return{'codes':a,'step':n}
 def decode(e,name,parts,kind):return eF(parts,kind)
class J:
 name='int8'
 def __init__(e,t):e.half=t
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if e.half else tensor.float()}
  ledger.count('int8','tensors quantized');a,n=eE(tensor.float());return{'codes':a,'step':n}
 def decode(e,name,parts,kind):return eF(parts,kind)
def ol():return Param('qo_bank',(22,512,512),'matrix','attn',(I,v),'banks',l=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(22,256,512),'matrix','attn',(I,I),'banks',l=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(11,1536,512),'matrix','mlp',(I,),'banks',l=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(11,512,1536),'matrix','mlp',(v,),'banks',l=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(5,512),'scalar','control',k,'additive_skips'),Param('bigram.embed.weight',(3072,112),'embed','aux',v,'bigram_hash','activation'),Param('bigram.proj.weight',(512,112),'scalar','aux',I,'bigram_hash'),Param('bigram.scale',(),'scalar','control',u(x,value=.05),'bigram_hash'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',u(x,value=1.5),'qk_gain',layers=11),Param('blocks.{}.attn_scale',(512,),'scalar','control',k,'residual_scales',layers=11),Param('blocks.{}.mlp_scale',(512,),'scalar','control',k,'residual_scales',layers=11),Param('blocks.{}.resid_mix',(2,512),'scalar','control',ac,'residual_scales',layers=11),Param('smear.gate',(512,),'scalar','control',v,'smear_gate'),Param('tok_emb.weight',(1024,512),'embed','embed',u(em,std=.005),'tied_head','activation',z='head'),Param('ve_shared.embed.weight',(1024,128),'embed','aux',u(em,std=.01),'value_embedding','activation'),Param('ve_shared.scale',(),'scalar','control',u(x,value=.1),'value_embedding'),Param('ve_layer_scales.{}',(1,),'scalar','control',k,'value_embedding',layers=2),Param('ve_shared.proj.weight',(256,128),'scalar','aux',I,'value_embedding')
def od():global ea;ea='causal_attention';eA(ao())
ou=u(aU,weight_decay=.04),
om=None
N=.0
of=u(aS,max_norm=.3),
op=Group('embed',.035,.04),Group('scalar',.025,.04)
O=None
og='adam','additive_skips','banks','bigram_hash','causal_attention','cross_entropy','ema','grad_clip','int6','int8','leaky_relu2','ln_scale','lzma','momentum_warmup','muon_weight_decay','newton_schulz','ortho_init','parallel_muon','partial_rope','qk_gain','residual_scales','sentencepiece_bytes','sequential_loader','sequential_wiring','sliding_eval','smear_gate','tied_head','torch_save','unet_plan','value_embedding','wall_clock','warmdown_iters','xsa'
ow=u(aT,final=.99,start=.92,steps=1500),u(os,length=4000)
P={'attn':oh(),'aux':J(True),'control':J(False),'embed':J(True),'mlp':oh()}
oy=9,10
if __name__=='__main__':tL(ol())